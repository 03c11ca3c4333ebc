"""Who trains and answers when: the queue, the desk, the workers."""

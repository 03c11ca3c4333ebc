"""The app as it is served: from a click to what is seen, sessions that watch, the server's own memory."""

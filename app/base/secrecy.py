"""What is secret stays in this process."""

import os
import re

SECRET = re.compile(r"(KEY|SECRET|TOKEN|PASSWORD|CREDENTIALS?)$")  # how such variables end


def keep_secrets_from_children() -> None:
    """Take what is secret out of this process's environment: settings are read, and no child needs it.

    A system tells a process's first environment to all of the same user, long after the process has forgotten it.
    """
    for name in [name for name in os.environ if SECRET.search(name)]:
        del os.environ[name]

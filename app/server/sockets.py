"""How the server's sockets send: at once.

asyncio turns Nagle's algorithm off only for sockets that name TCP as their protocol, and Streamlit binds one that names
none: what follows a small message then waits 40 ms, until the browser has acknowledged that one.
"""

import contextlib
import os
import socket

import psutil


def send_at_once() -> None:
    """Have every socket that this process listens on send without waiting; accepted connections inherit it.

    A system that does not tell a process its sockets keeps its own way.
    """
    with contextlib.suppress(psutil.Error, OSError):
        for net_connection in psutil.Process().net_connections("tcp"):
            if net_connection.status == psutil.CONN_LISTEN and net_connection.fd >= 0:
                with socket.socket(fileno=os.dup(net_connection.fd)) as listening:
                    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

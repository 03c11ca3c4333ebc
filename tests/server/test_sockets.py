"""The system itself says how a connection sends."""

import socket

from app.server.sockets import send_at_once


def test_a_connection_that_is_accepted_sends_without_waiting_for_the_last_acknowledgement() -> None:
    with socket.socket(socket.AF_INET) as listening:  # as Streamlit binds it: no protocol is named
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        send_at_once()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

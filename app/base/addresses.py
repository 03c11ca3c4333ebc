"""By what somebody is counted who has no name yet: where they come from."""

import ipaddress

NETWORK = 64  # bits of an IPv6 address that a provider gives to one customer


def counted_as(host: str) -> str:
    """An IPv4 address, or the network of an IPv6 one; what is neither, as it is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if mapped := address.ipv4_mapped:
        return str(mapped)
    return str(ipaddress.ip_network((address, NETWORK), strict=False))

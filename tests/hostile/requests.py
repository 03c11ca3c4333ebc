"""HTTP as no browser speaks it: each is sent as it stands. SECRET is a file beside the store, SESSION an open page."""

from collections.abc import Mapping
from itertools import product

PLACES = (
    "/vendor/", "/component/", "/media/", "/static/", "/app/static/", "/_stcore/bidi-components/", "/",
    "/_stcore/upload_file/",
)  # fmt: skip
CLIMBS = (
    "../" * 12,
    "%2e%2e/" * 12,
    "..%2f" * 12,
    "....//" * 12,
    "..%5c" * 12,
    "%252e%252e%252f" * 12,
    "//",
    "\\..\\..\\",
)
METHODS = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT", "BREW", "get", "X" * 5000)


def request(path: str, method: str = "GET", *headers: str, body: str = "", version: str = "HTTP/1.1") -> str:
    """A request; each header is a line."""
    lines = [f"{method} {path} {version}", "Host: 127.0.0.1", "Connection: close", *headers, "", body]
    return "\r\n".join(lines)


def put(path: str, *headers: str, body: str = "") -> str:
    """An upload."""
    return request(path, "PUT", f"Content-Length: {len(body)}", *headers, body=body)


ALLOWED = ("X-Xsrftoken: TOKEN", "Cookie: _streamlit_xsrf=TOKEN")
FORM = "Content-Type: multipart/form-data; boundary=edge"

REQUESTS: Mapping[str, str] = {
    **{f"{place} {climb[:14]}": request(f"{place}{climb}SECRET") for place, climb in product(PLACES, CLIMBS)},
    **{f"{method[:10]} {path}": request(path, method) for path in ("/", "/healthz", "/metrics") for method in METHODS},
    **{
        f"the feed, {name}": request(f"/live?run=reference-plain-56&part=curves&have={more}")
        for name, more in {
            "unsigned": "",
            "signed by a guess": f"&key={'0' * 32}",
            "signed in no letters": "&key=%ff%00%ed%a0%80",
            "for everything": "&part=curves&have=" * 900,
            "for what climbs": "&run=../../SECRET&part=../../SECRET&have=",
        }.items()
    },
    "a path of 60,000 letters": request("/" + "x" * 60_000),
    "a path with a NUL": request("/%00"),
    "a path that is not UTF-8": request("/%ff%fe"),
    "a path of HTML": request("/<script>alert(1)</script>"),
    "an address elsewhere": request("http://example.com/"),
    "HTTP 9": request("/", version="HTTP/9.9"),
    "no HTTP": "\x00\x01\x02\x03\r\n\r\n",
    "a header without a colon": request("/", "GET", "nonsense"),
    "a header of 200,000 letters": request("/", "GET", "X-Long: " + "x" * 200_000),
    "ten thousand headers": request("/", "GET", *[f"X-{n}: 1" for n in range(10_000)]),
    "a header folded": request("/", "GET", "X-A: 1", " and more"),
    "two lengths": request("/", "POST", "Content-Length: 5", "Content-Length: 50", body="hello"),
    "a length below zero": request("/", "POST", "Content-Length: -5"),
    "a length and chunks": request("/", "POST", "Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
    "chunks of no size": request("/", "POST", "Transfer-Encoding: chunked", body="zz\r\nhello\r\n"),
    "another host": request("/", "GET", "Host: evil.example"),
    "cookies of nonsense": request("/", "GET", "Cookie: ;;;=;\x01=\x02; resnet-explorer=" + "x" * 5000),
    "a cookie of a path": request("/", "GET", "Cookie: resnet-explorer=../../etc/passwd; _streamlit_xsrf=2|x|y|z"),
    "a range backwards": request("/", "GET", "Range: bytes=9-1,0-,-,x"),
    "a thousand ranges": request("/favicon.png", "GET", "Range: bytes=" + ",".join(f"{n}-{n}" for n in range(1000))),
    "every encoding": request("/", "GET", "Accept-Encoding: " + "gzip;q=1e999," * 500),
    "a date that is none": request("/favicon.png", "GET", "If-Modified-Since: yesterday", "If-None-Match: \\"),
    "an upload without a token": put("/_stcore/upload_file/SESSION/x", FORM),
    "an upload to nobody": put("/_stcore/upload_file/nobody/x", FORM, *ALLOWED),
    "an upload of nothing": put("/_stcore/upload_file/SESSION/x", FORM, *ALLOWED),
    "an upload that is no form": put(
        "/_stcore/upload_file/SESSION/x", *ALLOWED, body="hello"
    ),
    "an upload named by a path": put(
        "/_stcore/upload_file/SESSION/..%2f..%2fcanary", FORM, *ALLOWED,
        body='--edge\r\nContent-Disposition: form-data; name="file"; filename="../../canary"\r\n\r\nx\r\n--edge--\r\n',
    ),
    "an upload of 10¹² bytes": request(
        "/_stcore/upload_file/SESSION/x", "PUT", FORM, *ALLOWED,
        "Content-Length: 1000000000000",
    ),
    "an upload without an edge": put(
        "/_stcore/upload_file/SESSION/x", "Content-Type: multipart/form-data", *ALLOWED, body="hello",
    ),
    "a deletion for somebody else": request("/_stcore/upload_file/nobody/x", "DELETE"),
    "a socket that is none": request(
        "/_stcore/stream", "GET", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 99"
    ),
    "a socket from elsewhere": request(
        "/_stcore/stream", "GET", "Upgrade: websocket", "Connection: Upgrade", "Origin: http://evil.example",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
}  # fmt: skip

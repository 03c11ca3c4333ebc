"""Every page with nonsense in every parameter of its address."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from tests.hostile import SHOUT, Grounds

PAGES = ("", "architecture", "train", "gradients", "paths", "lesions", "features", "reproduce", "runs", "class")
PARAMETERS = (
    "net data recipe width seed run race step layer a b source swap class nth of per-parameter distribution method for "
    "against channel off study depth beta bn target blocks sorted n fold bet cut pictures find status rate p guess key"
).split()

NONSENSE: Mapping[str, Callable[[Grounds], str]] = {
    "HTML": lambda _grounds: quote(f"{SHOUT}<script>alert(1)</script>"),
    "a megabyte": lambda _grounds: "x" * 25_000,
    "control characters": lambda _grounds: quote("\0\r\n\x1b[31m\x7f\u202e\u2028"),
    "bytes that are not UTF-8": lambda _grounds: "%ff%fe%c0%af",
    "SQL": lambda _grounds: quote("'; DROP TABLE runs; --"),
    "a negative number": lambda _grounds: "-1",
    "a huge number": lambda _grounds: "9" * 400,
    "no number": lambda grounds: grounds.rng.choice(["NaN", "Infinity", "1e308", "-0", "0x10", "١٢", "½"]),
    "a path": lambda grounds: quote(f"../../../../{grounds.outside}/secret", safe=""),
    "a run's path": lambda _grounds: quote("reference-plain-20/../../secret", safe=""),
    "a template": lambda _grounds: quote("{0.__class__.__mro__} ${7*7} $\\input{/etc/passwd}$ :red[x] [x](y:z)"),
    "commas": lambda _grounds: "1," * 2000,
    "nets": lambda grounds: grounds.rng.choice(
        ["resnet-56:width=999999", "resnet-9999999998", "plain-20:width=0", "resnet-20:x", "resnet-20:" + "w=8:" * 9]
    ),
    "brackets": lambda _grounds: quote("[[[[[[" * 200),
    "noise": lambda grounds: quote(grounds.rng.randbytes(60)),
    "known names": lambda grounds: grounds.rng.choice(
        ["reference-plain-20", "block:999999", "blocks.-1.branch.conv1", "fashion-mnist-mini", "run", "test:0"]
    ),
}  # fmt: skip


def repeated(pages: tuple[str, ...] = PAGES) -> Mapping[str, tuple[str, Callable[[Grounds], str]]]:
    """By name: a page, and what makes its query; every parameter has the nonsense, twice."""

    def query(make: Callable[[Grounds], str]) -> Callable[[Grounds], str]:
        return lambda grounds: "&".join(f"{name}={make(grounds)}" for name in (*PARAMETERS, "net", "run", "x y"))

    return {f"/{page}: {name}": (page, query(make)) for name, make in NONSENSE.items() for page in pages}


ADDRESSES: Mapping[str, tuple[str, Callable[[Grounds], str]]] = {
    **repeated(),
    "a page that is not": ("../../etc/passwd", lambda _grounds: ""),
    "a page of HTML": (SHOUT, lambda _grounds: ""),
    "a page of 100,000 letters": ("x" * 100_000, lambda _grounds: ""),
    "a query of ampersands": ("", lambda _grounds: "&=&&==&" * 5000),
    "a hundred runs": ("runs", lambda _grounds: "&".join(f"run=r{n}" for n in range(500))),
}

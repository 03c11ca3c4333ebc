"""What a browser's page should never send over its socket."""

import json
import struct
from collections.abc import Callable, Iterable, Mapping

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.hostile import SHOUT, Grounds
from tests.hostile.addresses import PAGES
from tests.hostile.visitor import Visitor

Sent = bytes | str | BackMsg


def widgets(*kinds: str, **value: object) -> Callable[[Visitor, Grounds], Iterable[Sent]]:
    """Every widget of the page, or of these kinds, is said to have this value."""

    def change(state: WidgetState) -> None:
        for name, one in value.items():
            setattr(state, name, one)

    return every(change, *kinds)


def every(change: Callable[[WidgetState], object], *kinds: str) -> Callable[[Visitor, Grounds], Iterable[Sent]]:
    """The state of every widget, or of every one of these kinds, changed like this."""

    def make(visitor: Visitor, _grounds: Grounds) -> Iterable[Sent]:
        message = visitor.request()
        for name in (name for name, (kind, _) in visitor.widgets.items() if not kinds or kind in kinds):
            change(message.rerun_script.widget_states.widgets.add(id=name))
        yield message

    return make


def rerun(**value: object) -> Callable[[Visitor, Grounds], Iterable[Sent]]:
    """The page is asked for with these fields of the request."""

    def make(visitor: Visitor, _grounds: Grounds) -> Iterable[Sent]:
        message = visitor.request()
        for name, one in value.items():
            setattr(message.rerun_script, name, one)
        yield message

    return make


def cut(visitor: Visitor, _grounds: Grounds) -> Iterable[Sent]:
    """The beginning of a message."""
    yield visitor.request().SerializeToString()[:-3]


def flipped(visitor: Visitor, grounds: Grounds) -> Iterable[Sent]:
    """A message, ten bytes of which are others."""
    raw = bytearray(visitor.request().SerializeToString())
    for _ in range(10):
        raw[grounds.rng.randrange(len(raw))] = grounds.rng.randrange(256)
    yield bytes(raw)


def operation(visitor: Visitor, _grounds: Grounds) -> Iterable[Sent]:
    """A request of Streamlit's newer kind, with what it does not have."""
    message = BackMsg()
    message.backend_operation_request.request_id = message.backend_operation_request.session_id = "../../etc/passwd"
    message.backend_operation_request.deferred_file.SetInParent()
    yield message
    message.backend_operation_request.session_id = visitor.session
    yield message
    message.backend_operation_request.install_skills.SetInParent()
    yield message


def urls(visitor: Visitor, _grounds: Grounds) -> Iterable[Sent]:
    """Places for ten thousand files of bad names."""
    message = BackMsg()
    message.file_urls_request.request_id = "1"
    message.file_urls_request.file_names.extend(["../../../canary", "\0", SHOUT, "x" * 1000] * 2500)
    yield message


def _file(state: WidgetState) -> None:
    """A file that was never sent."""
    info = state.file_uploader_state_value.uploaded_file_info.add(name="../../canary", size=5, file_id="../../canary")
    info.file_urls.upload_url = info.file_urls.delete_url = "/etc/passwd"


DEEP = "[" * 50_000 + "]" * 50_000


def _texts(state: WidgetState) -> None:
    state.string_array_value.data.extend([SHOUT, "", "x" * 2000, "resnet-9999998", "plain-20", "plain-20"] * 30)


def _json(name: str, value: object) -> Mapping[str, Callable[[Visitor, Grounds], Iterable[Sent]]]:
    """Components' states, and what they say has happened."""
    keys = (
        "value",
        "layer",
        "cuts",
        "step",
        "range",
        "relayout",
        "click",
        "clicked",
        "picture",
        "pixels",
        "point",
        "off",
    )
    about = dict.fromkeys(keys, value)
    return {
        f"components: {name}": widgets("bidi_component", json_value=json.dumps(about)),
        f"components say: {name}": widgets(
            "bidi_component", json_trigger_value=json.dumps([{"event": key, "value": value} for key in keys])
        ),
    }


# Of the type that each widget has.
TYPED: Mapping[str, Callable[[Visitor, Grounds], Iterable[Sent]]] = {
    "every button": widgets("button", trigger_value=True),
    "every switch": widgets("checkbox", bool_value=True),
    "texts of HTML": widgets("text_input", "text_area", "selectbox", string_value=SHOUT),
    "long texts": widgets("text_input", "text_area", "selectbox", string_value="x" * 50_000),
    "texts of control characters": widgets("text_input", "text_area", "selectbox", string_value="\0\r\n\x1b[31m\u202e"),
    "texts of commas": widgets(
        "text_input", "text_area", "selectbox", string_value="1," * 3000 + "-1,9999999999999999"
    ),
    "no number": widgets("number_input", "slider", double_value=float("nan")),
    "a number of 10³⁰⁸": widgets("number_input", double_value=1e308),
    "a number below zero": widgets("number_input", int_value=-(2**62)),
    "slid to infinity": every(lambda state: state.double_array_value.data.append(float("inf")), "slider"),
    "choices that are not": every(_texts, "multiselect", "button_group"),
    **_json("null", None),
    **_json("numbers", 10**30),
    **_json("texts", SHOUT),
    **_json("lists", [[1, [2, None]], "x", -1, 1e308]),
    **_json("mappings", {"value": {"layer": {}}, "step": "x", "x": [None], "": SHOUT}),
    **_json("long texts", "x" * 100_000),
}

# Of a type that only some have.
UNTYPED: Mapping[str, Callable[[Visitor, Grounds], Iterable[Sent]]] = {
    "everything pressed": widgets(trigger_value=True),
    "everything true": widgets(bool_value=True),
    "everything not a number": widgets(double_value=float("nan")),
    "everything infinite": widgets(double_value=float("-inf")),
    "everything −2⁶³": widgets(int_value=-(2**63)),
    "everything 2⁶³ − 1": widgets(int_value=2**63 - 1),
    "everything text": widgets(string_value=SHOUT),
    "everything a long text": widgets(string_value="x" * 50_000),
    "everything bytes": widgets(bytes_value=b"\xff" * 100),
    "everything no JSON": widgets(json_value="{]"),
    "everything JSON of other types": widgets(json_value=json.dumps({"value": {"layer": [1], "step": {}}})),
    "everything deep JSON": widgets(json_value=DEEP),
    "everything triggered by JSON": widgets(json_trigger_value=json.dumps([{"event": SHOUT, "value": [None]}])),
    "everything triggered by nonsense": widgets(json_trigger_value="[1,"),
    "everything texts": every(lambda state: state.string_array_value.data.extend([SHOUT, "", "x"] * 100)),
    "everything numbers": every(lambda state: state.double_array_value.data.extend([float("nan"), 1e308, -1.0])),
    "everything whole numbers": every(lambda state: state.int_array_value.data.extend([-1, 2**62, 10**6])),
    "everything a file": every(_file),
    "everything a table": every(lambda state: setattr(state.arrow_value, "data", b"\xff" * 100)),
    "everything typed": every(lambda state: setattr(state.string_trigger_value, "data", SHOUT)),
    "everything said in a chat": every(lambda state: setattr(state.chat_input_value, "data", SHOUT)),
    "everything without a value": every(lambda _state: None),
}  # fmt: skip

OTHERS: Mapping[str, Callable[[Visitor, Grounds], Iterable[Sent]]] = {
    "nothing": lambda _visitor, _grounds: [b""],
    "noise": lambda _visitor, grounds: [grounds.rng.randbytes(500)],
    "text": lambda _visitor, _grounds: ["hello"],
    "half a message": cut,
    "a damaged message": flipped,
    "a length of 2⁶⁴": lambda _visitor, _grounds: [b"\x5a" + b"\xff" * 9 + b"\x01"],
    "groups 10,000 deep": lambda _visitor, _grounds: [b"\x0b" * 10_000],
    "five megabytes": lambda _visitor, grounds: [struct.pack("B", 0x5A) + grounds.rng.randbytes(5_000_000)],
    "clear the cache": lambda _visitor, _grounds: [BackMsg(clear_cache=True)],
    "stop the script": lambda _visitor, _grounds: [BackMsg(stop_script=True)],
    "shut the server down": lambda _visitor, _grounds: [BackMsg(debug_shutdown_runtime=True)],
    "disconnect": lambda _visitor, _grounds: [BackMsg(debug_disconnect_websocket=True)],
    "run on save": lambda _visitor, _grounds: [BackMsg(set_run_on_save=True)],
    "git, please": lambda _visitor, _grounds: [BackMsg(load_git_info=True)],
    "a hundred heartbeats": lambda _visitor, _grounds: [BackMsg(app_heartbeat=True)] * 100,
    "a hundred pages at once": lambda visitor, _grounds: [visitor.request()] * 100,
    "clear the cache and ask, ten times": lambda visitor, _grounds: [BackMsg(clear_cache=True), visitor.request()] * 10,
    "an operation": operation,
    "ten thousand files": urls,
    "a fragment that is not": rerun(fragment_id="../../etc/passwd", is_auto_rerun=True),
    "a script that is not": rerun(page_script_hash="../../etc/passwd"),
    "a page that is not": rerun(page_script_hash="", page_name="../../etc/passwd"),
    "a query of noise": rerun(query_string="%ff%00&&&=;=\0" * 100),
    "a history that is not": rerun(is_history_navigation=True, query_string="net=" + "x" * 5000),
    "ten thousand widgets that are not": lambda visitor, _grounds: [_strangers(visitor, "$$ID-{}-None")],
    "widgets of Streamlit's own names": lambda visitor, _grounds: [_strangers(visitor, "$$STREAMLIT_INTERNAL_KEY{}")],
    "a context that is not": lambda visitor, _grounds: [_context(visitor)],
}  # fmt: skip

MESSAGES: Mapping[str, tuple[str, Callable[[Visitor, Grounds], Iterable[Sent]]]] = {
    **{f"/{page}: {name}": (page, make) for name, make in TYPED.items() for page in PAGES},
    # Streamlit itself refuses these: each meets two pages.
    **{
        f"/{page}: {name}": (page, make)
        for nth, (name, make) in enumerate(UNTYPED.items())
        for page in (PAGES[nth % len(PAGES)], PAGES[(nth + 4) % len(PAGES)])
    },
    **{name: ("train", make) for name, make in OTHERS.items()},
}


def _strangers(visitor: Visitor, name: str) -> BackMsg:
    message = visitor.request()
    for nth in range(10_000):
        message.rerun_script.widget_states.widgets.add(id=name.format(nth), string_value=SHOUT)
    return message


def _context(visitor: Visitor) -> BackMsg:
    message = visitor.request()
    context = message.rerun_script.context_info
    context.timezone, context.locale, context.url = "../../etc/passwd", "\0", f"javascript:{SHOUT}"
    context.timezone_offset, context.color_scheme = 2**31 - 1, SHOUT
    return message

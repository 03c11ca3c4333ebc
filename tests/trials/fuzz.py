"""`python -m tests.trials.fuzz`: hostile inputs, sent to one served app; a table of what it did with each kind.

The witnesses after every input: /healthz answers 200; no page shows an exception, and the log tells of none; nothing
beside the store was made, changed or read. A program among the inputs would leave a file there. At the end the start
page still paints. The inputs are the same for the same seed.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed

from tests.hostile import SECRET, SHOUT, Grounds, Outcome, pictures, weights, zips
from tests.hostile.addresses import ADDRESSES
from tests.hostile.messages import MESSAGES, Sent
from tests.hostile.requests import REQUESTS
from tests.hostile.visitor import Visitor, visit, xsrf_token
from tests.trials.watched import SAID, App, Watch, served

START = "the start page"  # at the end, as anyone sees it
ANSWERED = 10.0  # seconds within which a message is answered, if it is
KINDS = ("zip", "picture", "weights", "address", "message", "request")


@dataclass(frozen=True)
class Case:
    """One input: how it is made and sent."""

    kind: str
    name: str
    send: Callable[[App, Grounds], Awaitable[Outcome]]


# ── how each kind reaches the app ──


async def send_zip(make: Callable[[Grounds], bytes], app: App, grounds: Grounds) -> Outcome:
    """Uploaded on the page Train."""
    async with visit(app.address, "train") as visitor:
        await _attach(visitor, app, "Zip", "upload.zip", make(grounds))
        return visitor.outcome()


async def send_picture(make: Callable[[Grounds], bytes], app: App, grounds: Grounds) -> Outcome:
    """Uploaded on the page Features."""
    async with visit(app.address, "features", "source=upload") as visitor:
        await _attach(visitor, app, "", f"{SHOUT}.png", make(grounds))
        return visitor.outcome()


async def send_weights(make: Callable[[Grounds], bytes], app: App, grounds: Grounds) -> Outcome:
    """Sent with the form on the page Runs."""
    async with visit(app.address, "runs") as visitor:

        def submit(message: BackMsg) -> None:
            states = message.rerun_script.widget_states.widgets
            states.add(id=visitor.widget("text_input", "Net"), string_value=weights.NET)
            states.add(id=visitor.widget("button", "Import"), trigger_value=True)

        await _attach(visitor, app, "safetensors", "weights.pt", make(grounds), submit)
        return visitor.outcome()


async def _attach(
    visitor: Visitor,
    app: App,
    label: str,
    name: str,
    content: bytes,
    submit: Callable[[BackMsg], object] = lambda _message: None,
) -> None:
    """Give the uploader of that label a file, and ask for the page again."""
    file = await visitor.upload(app.address, name, content)
    uploader = visitor.widget("file_uploader", label)

    def change(message: BackMsg) -> None:
        state = message.rerun_script.widget_states.widgets.add(id=uploader).file_uploader_state_value
        state.uploaded_file_info.add(name=name, size=len(content), file_id=file.file_id, file_urls=file)
        submit(message)

    visitor.forget()
    await visitor.ask(change)


async def send_address(page: str, make: Callable[[Grounds], str], app: App, grounds: Grounds) -> Outcome:
    """Opened."""
    async with visit(app.address, page, make(grounds)) as visitor:
        return visitor.outcome()


async def send_message(
    page: str, make: Callable[[Visitor, Grounds], Iterable[Sent]], app: App, grounds: Grounds
) -> Outcome:
    """Sent by an open page, which is then asked for once more: a page that is shut is a refusal."""
    async with visit(app.address, page) as visitor:
        visitor.forget()
        try:
            reruns = False
            for message in make(visitor, grounds):
                await visitor.send(message)
                reruns |= isinstance(message, BackMsg) and message.HasField("rerun_script")
            if reruns:
                with contextlib.suppress(TimeoutError):  # some are not answered
                    await visitor.until_finished(ANSWERED)
            await visitor.ask()
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else "no code"
            return Outcome(True, f"the connection was closed ({code})", visitor.outcome().wrong)
        return visitor.outcome()


async def send_request(text: str, app: App, _grounds: Grounds) -> Outcome:
    """Written to a socket as it stands."""
    async with contextlib.AsyncExitStack() as stack:
        if "TOKEN" in text:
            text = text.replace("TOKEN", await asyncio.to_thread(xsrf_token, app.address))
        if "SESSION" in text:
            text = text.replace("SESSION", (await stack.enter_async_context(visit(app.address, ""))).session)
        text = text.replace("SECRET", str(app.outside / "secret").lstrip("/"))
        where = urlsplit(app.address)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        answer = b""
        with contextlib.suppress(OSError, TimeoutError):  # shut in our face, or no answer: both are refusals
            writer.write(text.encode("latin-1"))
            async with asyncio.timeout(5):
                while part := await reader.read(1 << 20):
                    answer += part
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ")[1].decode() if head.startswith(b"HTTP/") else ""
    shown = [sign for sign in (SECRET, b"Traceback (most recent") if sign in body]
    wrong = [f"status {status}"] if status == "500" else []
    wrong += [f"it shows {sign!r}" for sign in shown]
    return Outcome(
        not status.startswith(("2", "3")), f"status {status}" if status else "not answered", "; ".join(wrong)
    )


CASES: tuple[Case, ...] = (
    *(Case("zip", name, partial(send_zip, make)) for name, make in zips.MAKERS.items()),
    *(Case("picture", name, partial(send_picture, make)) for name, make in pictures.MAKERS.items()),
    *(Case("weights", name, partial(send_weights, make)) for name, make in weights.MAKERS.items()),
    *(Case("address", name, partial(send_address, *where)) for name, where in ADDRESSES.items()),
    *(Case("message", name, partial(send_message, *where)) for name, where in MESSAGES.items()),
    *(Case("request", name, partial(send_request, text)) for name, text in REQUESTS.items()),
)


async def tried(app: App, cases: list[Case], seed: int) -> AsyncIterator[tuple[Case, Outcome]]:
    """Send one after another; how each was taken, with what the witnesses say."""
    watch = Watch(app)
    for case in cases:
        grounds = Grounds(random.Random(f"{seed} {case.kind} {case.name}"), app.outside)
        try:
            outcome = await case.send(app, grounds)
        except Exception as error:
            outcome = Outcome(False, "", f"{type(error).__name__}: {error}")
        wrong = "; ".join(filter(None, (outcome.wrong, await asyncio.to_thread(watch.wrong))))
        yield case, Outcome(outcome.refused, outcome.said, wrong)
    start = Case(START, "", partial(send_address, "", lambda _grounds: ""))
    async with visit(app.address, "") as visitor:
        painted = visitor.elements > 10 and not visitor.exceptions
        yield start, Outcome(False, f"{visitor.elements} elements", "" if painted else "it is not painted any more")


async def report(cases: list[Case], seed: int, verbose: bool = False) -> int:
    """Try them and print what came of it. Returns how many failed."""
    counts = {kind: [0, 0, 0, 0] for kind in (*dict.fromkeys(case.kind for case in cases), START)}
    begun = time.monotonic()
    with served() as app:
        async for case, outcome in tried(app, cases, seed):
            column = 3 if outcome.wrong else 1 if outcome.refused else 2
            counts[case.kind][0] += 1
            counts[case.kind][column] += 1
            if verbose or outcome.wrong:
                what = f"FAILED: {outcome.wrong}" if outcome.wrong else " ".join(outcome.said.split())[:SAID]
                print(
                    f"{case.kind:10}{case.name[:44]:46}{'refused' if outcome.refused else 'taken':9}{what}", flush=True
                )
    print(f"{'kind':16}{'tried':>8}{'refused':>10}{'accepted':>10}{'failed':>8}")
    for kind, numbers in counts.items():
        print(f"{kind:16}{numbers[0]:8}{numbers[1]:10}{numbers[2]:10}{numbers[3]:8}")
    failed = sum(numbers[3] for numbers in counts.values())
    print(f"{len(cases)} inputs, seed {seed}, {time.monotonic() - begun:.0f} s: {failed} failed")
    return failed


def main() -> None:
    """Exit status 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS, action="append", help="only of this kind")
    parser.add_argument("--every", type=int, default=1, help="only every so many")
    parser.add_argument("--verbose", action="store_true", help="a line for each input")
    given = parser.parse_args()
    cases = [case for case in CASES if not given.kind or case.kind in given.kind][:: given.every]
    sys.exit(bool(asyncio.run(report(cases, given.seed, given.verbose))))


if __name__ == "__main__":
    main()

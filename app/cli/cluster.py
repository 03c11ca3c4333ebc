"""The verbs of other machines: `python -m app scheduler`, and `python -m app workers tcp://scheduler:8786`."""

import asyncio
from contextlib import suppress
from typing import Annotated

import typer

from app.cli.shared import clear_errors, out

app = typer.Typer()


@app.command()
def scheduler(
    host: Annotated[
        str, typer.Option(help="the address to listen at; anybody who reaches it may run code")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8786,
    patience: Annotated[int, typer.Option(min=2, help="seconds until a silent worker is given up")] = 30,
) -> None:
    """Let a server and workers on any machine meet here. Stop it with Ctrl-C."""
    from app.engine.cluster import schedule

    out.print(f"Listening at tcp://{host}:{port}. Keep it within a private network.", highlight=False)
    with clear_errors(), suppress(KeyboardInterrupt):
        asyncio.run(schedule(host, port, patience))


@app.command()
def workers(
    address: Annotated[str, typer.Argument(help="of the scheduler: tcp://HOST:8786")],
    train: Annotated[int, typer.Option(min=0, max=64, help="processes that train runs")] = 1,
    ask: Annotated[int, typer.Option(min=0, max=64, help="processes that answer quick questions")] = 1,
    study: Annotated[int, typer.Option(min=0, max=64, help="processes that answer long ones")] = 1,
) -> None:
    """Work for a scheduler; when it goes away, wait for it and go on. Stop it with Ctrl-C."""
    from app.engine.cluster import work

    with clear_errors(), suppress(KeyboardInterrupt):
        asyncio.run(work(address, {"train": train, "ask": ask, "study": study}))

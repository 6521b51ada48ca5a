# SPDX-License-Identifier: Apache-2.0
"""The HTTP face of a witness: ``POST /witness/add-checkpoint`` (C2SP tlog-witness).

What is answered is for ``node/witnessing.py`` to say. This reads the body, at most 64 KiB in at
most ten seconds: more is answered with 400, slower with 408, and not read to its end.
"""

import asyncio
from collections.abc import Callable

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from countermark.node.ports import WitnessAnswer
from countermark.records.errors import CountermarkError

PREFIX = "/witness"
MAX_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
BAD_REQUEST, TIMEOUT, TOO_MANY, NOT_READY = 400, 408, 429, 503


def witness_app(
    answer: Callable[[bytes], WitnessAnswer], *, seconds: float = BODY_SECONDS
) -> Starlette:
    """Return the application that stands under :data:`PREFIX`.

    Parameters
    ----------
    answer
        Answers a request's body; called in a thread.
    seconds
        How long a body may take to arrive.
    """

    async def add_checkpoint(request: Request) -> Response:
        try:
            async with asyncio.timeout(seconds):
                body = await _body(request)
        except TimeoutError:
            return _refusal(TIMEOUT, f"the request did not arrive within {seconds:g} seconds")
        except ClientDisconnect:
            return _refusal(BAD_REQUEST, "the request was cut off")
        if body is None:
            return _refusal(BAD_REQUEST, f"the request is larger than {MAX_BODY_BYTES} bytes")
        found = await run_in_threadpool(answer, body)
        headers = {"Content-Type": found.content_type}
        if found.status == TOO_MANY:
            headers["Retry-After"] = "60"
        return Response(found.body, found.status, headers)

    async def not_ready(_request: Request, error: Exception) -> Response:
        # What is wrong with this node is for its operator, not for whoever asks.
        assert isinstance(error, CountermarkError)  # noqa: S101  registered for nothing else
        return _refusal(NOT_READY, "this witness cannot answer now; try later")

    return Starlette(
        routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])],
        exception_handlers={CountermarkError: not_ready},
    )


async def _body(request: Request) -> bytes | None:
    """Return the body, or nothing as soon as it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _refusal(status: int, reason: str) -> Response:
    # The rest of the body may still be on its way, so this connection is of no more use.
    return PlainTextResponse(f"{reason}\n", status, {"Connection": "close"})

# SPDX-License-Identifier: Apache-2.0
"""The pages on which people label answers, under ``/annotate/``. They hold no rule.

What is allowed is for ``node/policy.py`` to say, and what is kept for ``exercise/annotation/``.

1. A link is used once per browser: it sets a cookie that no script can read, and leads on to an
   address without it. It stands in no page, and no address is told to other sites.
2. Whatever changes something carries a proof that only a page of the same session holds.
3. A body has at most 8 KiB and ten seconds; a session sends at most 600 requests a minute, and all
   links that are not valid share 60.
4. Every form works without a script. Text of a model is written as text, by template and script.
"""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from countermark.exercise.annotation.agreeing import live_agreement
from countermark.exercise.annotation.desk import Desk, Refused, Session, Sheet, Shown
from countermark.exercise.annotation.showing import Paragraph
from countermark.node.witnessing import Pace
from countermark.records.errors import CountermarkError, InputError
from countermark.taxonomy.languages import language as language_of

ANNOTATE = "/annotate"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
COOKIE = "countermark-annotate"
PROOF_HEADER = "x-form-proof"
MAX_BODY_BYTES = 8 * 1024
BODY_SECONDS = 10.0
PER_MINUTE, BAD_LINKS_PER_MINUTE = 600, 60
STATIC = {
    "annotate.js": "text/javascript; charset=utf-8",
    "annotate.css": "text/css; charset=utf-8",
}
FORBIDDEN, NOT_FOUND, CONFLICT, TOO_LARGE, TOO_MANY = 403, 404, 409, 413, 429
_ENDED = "Your link has ended, or was never valid. Ask whoever invited you for a new one."
_FOREIGN = "This was not sent from your page. Open your page again, and repeat it there."

_templates = Environment(
    loader=PackageLoader("countermark.app.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class _Answered(Exception):
    """A response that leaves a handler early."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


def annotate_app(desk: Desk) -> Starlette:
    """Return the application that stands under :data:`ANNOTATE`.

    Parameters
    ----------
    desk
        What keeps labels, and says who may do what.
    """
    pages = _Pages(desk)
    static = [Route(f"/{name}", _static(name)) for name in STATIC]
    return Starlette(
        routes=[
            Route("/", pages.home),
            Route("/enter/{link}", pages.enter),
            Route("/work/{task}/{language}", pages.work),
            Route("/work/{task}/{language}/answers.json", pages.answers),
            Route("/label", pages.label, methods=["POST"]),
            Route("/save", pages.save, methods=["POST"]),
            Route("/submit", pages.submit, methods=["POST"]),
            Route("/leave", pages.leave, methods=["POST"]),
            *static,
        ],
        exception_handlers={
            _Answered: _answered,
            Refused: _refused,
            CountermarkError: _unfit,
        },
    )


class _Pages:
    """One method a route."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pace = Pace(PER_MINUTE)
        self._bad_links = Pace(BAD_LINKS_PER_MINUTE)

    async def enter(self, request: Request) -> Response:
        found = await run_in_threadpool(self._desk.enter, request.path_params["link"])
        if found is None:
            now = self._desk.node.clock()
            if not self._bad_links.allows("links", grows=True, now=now):
                raise _Answered(TOO_MANY, "Too many links that are not valid. Wait a minute.")
            raise _Answered(FORBIDDEN, _ENDED)
        secret, ends = found
        response = RedirectResponse(f"{ANNOTATE}/", status_code=303)
        response.set_cookie(
            COOKIE,
            secret,
            path=ANNOTATE,
            httponly=True,
            # Links come from mail, and a strict cookie would not reach the page they lead to.
            samesite="lax",
            secure=request.url.scheme == "https",
            expires=ends,
        )
        return _private(response)

    async def home(self, request: Request) -> Response:
        session = await self._session(request)
        if session.person.role == "coordinator":
            parts = await run_in_threadpool(self._desk.oversee, session)
            shown = [
                {"part": part, "agreement": live_agreement(part.said(), part.raters)}
                for part in parts
            ]
            return _page("overview.html", session, parts=shown, words=language_of)
        sheets = await run_in_threadpool(self._desk.sheets, session)
        return _page("home.html", session, sheets=sheets, words=language_of)

    async def work(self, request: Request) -> Response:
        session = await self._session(request)
        sheet = await self._sheet(request, session)
        wanted = request.query_params.get("at", "")
        places = {one.item: place for place, one in enumerate(sheet.answers)}
        open_ = next((i for i, one in enumerate(sheet.answers) if not one.label), 0)
        at = places.get(wanted, open_)
        return _page("work.html", session, sheet=sheet, at=at, words=language_of)

    async def answers(self, request: Request) -> Response:
        session = await self._session(request)
        sheet = await self._sheet(request, session)
        return _private(JSONResponse({"answers": [_value(one) for one in sheet.answers]}))

    async def label(self, request: Request) -> Response:
        session, fields = await self._form(request)
        saved = await run_in_threadpool(
            self._desk.save,
            session,
            fields.get("item", ""),
            fields.get("label", ""),
            _number(fields.get("over", "")),
        )
        if not saved.kept:
            raise _Answered(
                CONFLICT,
                f"Not saved: in another window this answer was labelled “{saved.label}”. Go back, "
                "reload the page, and label it again if that is wrong.",
            )
        place = f"{ANNOTATE}/work/{fields.get('task', '')}/{fields.get('language', '')}"
        following = fields.get("next", "")
        safe = (
            following.isalnum()
            and place.replace("/", "").replace("-", "").replace(".", "").isalnum()
        )
        target = f"{place}?at={following}" if safe else f"{ANNOTATE}/"
        return _private(RedirectResponse(target, status_code=303))

    async def save(self, request: Request) -> Response:
        session = await self._session(request)
        self._prove(session, request.headers.get(PROOF_HEADER, ""))
        try:
            sent = json.loads(await _body(request))
            item, label, over = str(sent["item"]), str(sent["label"]), int(sent["over"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                "is no label", where="request", next_step="Reload the page."
            ) from error
        saved = await run_in_threadpool(self._desk.save, session, item, label, over)
        body = {"label": saved.label, "version": saved.version}
        return _private(JSONResponse(body, status_code=200 if saved.kept else CONFLICT))

    async def submit(self, request: Request) -> Response:
        session, fields = await self._form(request)
        await run_in_threadpool(
            self._desk.submit, session, fields.get("task", ""), fields.get("language", "")
        )
        return _private(RedirectResponse(f"{ANNOTATE}/", status_code=303))

    async def leave(self, request: Request) -> Response:
        await self._form(request)
        await run_in_threadpool(self._desk.leave, request.cookies.get(COOKIE, ""))
        response = HTMLResponse(_render("message.html", None, words="You have left."))
        response.delete_cookie(COOKIE, path=ANNOTATE, httponly=True, samesite="lax")
        return _private(response)

    async def _session(self, request: Request) -> Session:
        session = await run_in_threadpool(self._desk.session, request.cookies.get(COOKIE))
        if session is None:
            raise _Answered(FORBIDDEN, _ENDED)
        now = self._desk.node.clock()
        if not self._pace.allows(session.proof, grows=True, now=now):
            raise _Answered(TOO_MANY, "That was too fast. Wait a minute; nothing is lost.")
        return session

    async def _sheet(self, request: Request, session: Session) -> Sheet:
        task, language = request.path_params["task"], request.path_params["language"]
        return await run_in_threadpool(self._desk.sheet, session, task, language)

    async def _form(self, request: Request) -> tuple[Session, dict[str, str]]:
        session = await self._session(request)
        text = (await _body(request)).decode("utf-8", "replace")
        fields = {name: values[0] for name, values in parse_qs(text, max_num_fields=20).items()}
        self._prove(session, fields.get("proof", ""))
        return session, fields

    @staticmethod
    def _prove(session: Session, proof: str) -> None:
        if not hmac.compare_digest(session.proof.encode(), proof.encode()):
            raise _Answered(FORBIDDEN, _FOREIGN)


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise _Answered(TOO_LARGE, f"That is more than {MAX_BODY_BYTES} bytes.")
    except (TimeoutError, ClientDisconnect) as error:
        raise _Answered(408, "The request did not arrive whole; send it again.") from error
    return bytes(body)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _value(one: Shown) -> dict[str, Any]:
    return {
        "item": one.item,
        "prompt": [_paragraph(line) for line in one.prompt],
        "answer": [_paragraph(line) for line in one.answer],
        "label": one.label,
        "version": one.version,
        "said": [[said.rater, said.label] for said in one.said],
    }


def _paragraph(line: Paragraph) -> dict[str, Any]:
    return {"dir": line.direction, "pieces": [[one.text, one.named] for one in line.pieces]}


def _render(template: str, session: Session | None, **values: object) -> str:
    return _templates.get_template(template).render(session=session, **values)


def _page(template: str, session: Session, **values: object) -> Response:
    return _private(HTMLResponse(_render(template, session, **values)))


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _failed(request: Request, status: int, words: str) -> Response:
    if request.url.path.endswith(("/save", "/answers.json")):
        return _private(JSONResponse({"error": words}, status_code=status))
    page = HTMLResponse(_render("message.html", None, words=words), status_code=status)
    return _private(page)


async def _answered(request: Request, error: Exception) -> Response:
    assert isinstance(error, _Answered)  # noqa: S101  registered for nothing else
    return _failed(request, error.status, error.words)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101  registered for nothing else
    reason = error.permission.reason
    return _failed(request, FORBIDDEN, f"Not allowed: {reason} (rule {error.permission.rule}).")


async def _unfit(request: Request, error: Exception) -> Response:
    assert isinstance(error, CountermarkError)  # noqa: S101  registered for nothing else
    status = NOT_FOUND if isinstance(error, InputError) else CONFLICT
    return _failed(request, status, f"{error}. {error.next_step}")


def _static(name: str) -> Callable[[Request], Awaitable[Response]]:
    contents = (files("countermark.app.web") / "static" / name).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(contents, media_type=STATIC[name])

    return answer

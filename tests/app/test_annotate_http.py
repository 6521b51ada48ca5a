# SPDX-License-Identifier: Apache-2.0
"""The labelling pages over HTTP, without a script: sessions, forms, forgery, limits, refusals."""

import json
import re
from pathlib import Path

import pytest
from annotation_desk import TASK, Browser, Office, open_office, plain_answers

from countermark.app.web import annotate
from countermark.app.web.annotate import COOKIE, MAX_BODY_BYTES, PER_MINUTE

WORK = f"/annotate/work/{TASK}/en"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(tmp_path / "node", plain_answers(3))


def browser(office: Office, name: str = "rater-1") -> Browser:
    made = Browser(office)
    assert made.enter(office, name).status_code == 303
    return made


def field(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None
    return found[1]


def form(text: str, **change: str) -> dict[str, str]:
    names = ("proof", "task", "language", "item", "over", "next")
    return {**{name: field(text, name) for name in names}, "label": "yes", **change}


def label_of(office: Office, item: str, name: str = "rater-1") -> str | None:
    held = office.part().labels.get(item, {}).get(name)
    return held.label if held else None


def test_rule_1_a_link_sets_a_cookie_no_script_reads_and_leads_to_a_plain_address(
    office: Office,
) -> None:
    visitor = Browser(office)
    response = visitor.enter(office, "rater-1")
    assert (response.status_code, response.headers["location"]) == (303, "/annotate/")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/annotate" in cookie
    assert "secure" not in cookie  # plain http is on this machine only
    secret = visitor.cookies[COOKIE]
    for path in ("/annotate/", WORK, f"{WORK}/answers.json"):
        page = visitor.ask("GET", path)
        assert page.status_code == 200
        assert secret not in page.text
        assert office.links["rater-1"] not in page.text
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"


def test_rule_1_behind_a_proxy_with_tls_the_cookie_is_secure(office: Office) -> None:
    visitor = Browser(office)
    address = f"https://annotate.example/annotate/enter/{office.links['rater-1']}"
    assert "secure" in visitor.ask("GET", address).headers["set-cookie"].lower()


@pytest.mark.parametrize("path", ["/annotate/", WORK, f"{WORK}/answers.json", "/annotate/enter/x"])
def test_nobody_without_a_valid_link_sees_anything(office: Office, path: str) -> None:
    response = Browser(office).ask("GET", path)
    assert response.status_code == 403
    assert "Your link has ended" in response.text
    assert "Question" not in response.text


def test_every_page_has_a_policy_that_allows_no_foreign_script(office: Office) -> None:
    visitor = browser(office)
    for path in ("/annotate/", WORK, "/annotate/annotate.js", "/annotate/no"):
        policy = visitor.ask("GET", path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
    assert (
        "form-action 'none'" in visitor.ask("GET", "/annotatex").headers["content-security-policy"]
    )


def test_rule_4_a_whole_part_is_labelled_and_handed_in_by_forms_alone(office: Office) -> None:
    visitor = browser(office)
    page = visitor.ask("GET", WORK).text
    seen = []
    for _ in range(3):
        seen.append(field(page, "item"))
        response = visitor.ask("POST", "/annotate/label", form=form(page))
        assert response.status_code == 303
        page = visitor.ask("GET", response.headers["location"]).text
    assert len(set(seen)) == 3
    assert {label_of(office, item) for item in seen} == {"yes"}
    sent = {"proof": visitor.proof(), "task": TASK, "language": "en"}
    assert visitor.ask("POST", "/annotate/submit", form=sent).status_code == 303
    assert office.part().submitted == {"rater-1"}
    assert "Handed in" in visitor.ask("GET", "/annotate/").text
    refused = visitor.ask("POST", "/annotate/label", form=form(page, label="no"))
    assert refused.status_code == 403
    assert "you have submitted this part (rule 6)" in refused.text


def test_rule_2_what_another_site_sends_changes_nothing(office: Office) -> None:
    visitor, other = browser(office), browser(office, "rater-2")
    page = visitor.ask("GET", WORK).text
    item = field(page, "item")
    for proof in ("", "0" * 64, other.proof()):
        response = visitor.ask("POST", "/annotate/label", form=form(page, proof=proof))
        assert response.status_code == 403
        body = json.dumps({"item": item, "label": "yes", "over": 0}).encode()
        headers = {"X-Form-Proof": proof}
        saved = visitor.ask("POST", "/annotate/save", content=body, headers=headers)
        assert saved.status_code == 403
        sent = {"proof": proof, "task": TASK, "language": "en"}
        assert visitor.ask("POST", "/annotate/submit", form=sent).status_code == 403
        assert visitor.ask("POST", "/annotate/leave", form=sent).status_code == 403
    assert label_of(office, item) is None
    assert visitor.ask("GET", "/annotate/label").status_code == 405


def save(visitor: Browser, proof: str, **body: object) -> tuple[int, dict[str, object]]:
    data = json.dumps(body).encode()
    response = visitor.ask("POST", "/annotate/save", content=data, headers={"X-Form-Proof": proof})
    return response.status_code, response.json()


def test_two_tabs_a_stale_save_is_told_what_stands(office: Office) -> None:
    visitor = browser(office)
    proof, page = visitor.proof(), visitor.ask("GET", WORK).text
    item = field(page, "item")
    assert save(visitor, proof, item=item, label="yes", over=0) == (
        200, {"label": "yes", "version": 1},
    )  # fmt: skip
    assert save(visitor, proof, item=item, label="yes", over=0)[0] == 200  # sent again
    assert save(visitor, proof, item=item, label="no", over=0) == (
        409, {"label": "yes", "version": 1},
    )  # fmt: skip
    stale = visitor.ask("POST", "/annotate/label", form=form(page, label="no"))
    assert stale.status_code == 409
    assert "in another window" in stale.text
    assert label_of(office, item) == "yes"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"item": "x", "label": "yes", "over": "many"}', b"\xff", b"[" * 5000],
)
def test_what_is_no_label_is_refused(office: Office, body: bytes) -> None:
    visitor = browser(office)
    headers = {"X-Form-Proof": visitor.proof()}
    response = visitor.ask("POST", "/annotate/save", content=body, headers=headers)
    assert response.status_code == 404
    assert "error" in response.json()


def test_rule_3_bodies_and_pace_have_a_limit(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = browser(office)
    headers = {"X-Form-Proof": visitor.proof()}
    large = b" " * (MAX_BODY_BYTES + 1)
    assert visitor.ask("POST", "/annotate/save", content=large, headers=headers).status_code == 413
    assert PER_MINUTE == 600
    monkeypatch.setattr(annotate, "PER_MINUTE", 5)
    monkeypatch.setattr(annotate, "BAD_LINKS_PER_MINUTE", 2)
    hasty = browser(office, "rater-2")
    codes = [hasty.ask("GET", "/annotate/").status_code for _ in range(7)]
    assert codes == [200] * 5 + [429] * 2
    guesser = Browser(office)
    tried = [guesser.ask("GET", f"/annotate/enter/guess-{n}").status_code for n in range(4)]
    assert tried == [403, 403, 429, 429]
    assert guesser.enter(office, "rater-1").status_code == 303  # a valid link is not held up


def test_roles_over_http(office: Office) -> None:
    """Who reaches which address; what decides is the policy, whose matrix is tested there."""
    office.everything("rater-1", "yes")
    office.everything("rater-2", "no")
    reached = {
        name: [browser(office, name).ask("GET", path).status_code for path in ("/annotate/", WORK)]
        for name in office.links
    }
    assert reached == {
        "rater-1": [200, 200],
        "rater-2": [200, 200],
        "third": [200, 200],
        "chair": [200, 403],
    }
    overview = browser(office, "chair").ask("GET", "/annotate/").text
    assert "3 of 3 disputed answers wait" in overview
    assert "Question" not in overview
    assert browser(office).ask("GET", f"/annotate/work/{TASK}/xx").status_code == 404


def test_whoever_leaves_or_is_revoked_is_out(office: Office) -> None:
    visitor = browser(office)
    left = visitor.ask("POST", "/annotate/leave", form={"proof": visitor.proof()})
    assert left.status_code == 200
    assert visitor.ask("GET", "/annotate/").status_code == 403


HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "</textarea>")


@pytest.mark.parametrize("text", HOSTILE)
def test_rule_4_text_of_a_model_is_text(tmp_path: Path, text: str) -> None:
    office = open_office(tmp_path / "node", [("en", text, f"{text}\u202e\u0000")])
    page = browser(office).ask("GET", WORK).text
    assert text not in page or "{{" in text
    assert "[U+202E]" in page
    assert "[U+0000]" in page
    assert "\u202e" not in page
    assert ">49<" not in page


def test_the_record_has_no_desk_unless_the_node_has_one(office: Office) -> None:
    from countermark.app.web.server import Answer, create_app

    visitor = Browser(office)
    missing = {"404.html": Answer(b"There is no such page", "text/html")}
    visitor.app = create_app(lambda: missing)
    assert visitor.ask("GET", "/annotate/").status_code == 404

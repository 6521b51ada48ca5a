# SPDX-License-Identifier: Apache-2.0
"""A node as a witness: what it knows, keeps and signs."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lying_peer import LyingPeer, envelope_in
from nodes import Network, config, make_network, plan, roster_files, snapshot, spoil
from sample_book import CODES, DEVELOPER

from countermark.network.sync import pull
from countermark.node import witnessing
from countermark.node.node import Node
from countermark.node.state import Head
from countermark.node.witnessed import collect, quorum_of
from countermark.node.witnessing import (
    REQUESTS_PER_MINUTE,
    WITNESS,
    Pace,
    add_checkpoint,
    admit,
    known_logs,
    open_witness,
    own_request,
    refusal,
    within_pace,
)
from countermark.records.errors import InputError, StateError, VerificationError
from countermark.signing.keys import generate_key, key_to_pem
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, verify_cosignature
from countermark.transparency.equivocation import verify_equivocation
from countermark.transparency.note import Note, NoteSigner, parse_note, parse_signature_lines
from countermark.transparency.proof import TlogProof
from countermark.transparency.statement import StatementFile
from countermark.transparency.tiles import inclusion_proof
from countermark.transparency.tree import consistency_proof, leaf_hash, root_hash
from countermark.transparency.verify import verify_statement
from countermark.transparency.witness import (
    AddCheckpoint,
    Verdict,
    WitnessState,
    consider,
    parse_request,
)

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

NOW = START + timedelta(hours=1)  # when the roster's entries hold


class Log:
    """KE's log with any contents, under its true key; what it signs need not be what it logged."""

    def __init__(self, signer: NoteSigner, leaves: int = 402, mark: str = "") -> None:
        self.signer = signer
        self.leaves = [leaf_hash(f"{mark}{n}".encode()) for n in range(leaves)]

    def request(self, old: int, new: int) -> bytes:
        head = Checkpoint(self.signer.name, new, root_hash(self.leaves[:new]))
        proof = consistency_proof(self.leaves[:new], old) if old <= new else ()
        return AddCheckpoint(old, proof, sign_checkpoint(head, self.signer)).to_bytes()

    def head(self, size: int) -> Head:
        return Head(size, root_hash(self.leaves[:size]))


@pytest.fixture
def fresh(tmp_path: Path) -> Network:
    """Six nodes with a roster; nothing was logged or witnessed yet."""
    return make_network(tmp_path / "fresh")


@pytest.fixture
def log(fresh: Network) -> Log:
    return Log(fresh["KE"].log_signer)


def ask(node: Node, body: bytes) -> Verdict:
    return add_checkpoint(node, open_witness(node), body)


def kept(node: Node, origin: str = "ke.example/log") -> Head | None:
    return node.state.head(WITNESS, origin)


def test_the_logs_known_are_those_of_the_roster_but_the_own(fresh: Network) -> None:
    assert set(known_logs(fresh["GB"])) == {
        f"{code.lower()}.example/log" for code in (*CODES, DEVELOPER) if code != "GB"
    }


def test_a_node_never_witnesses_its_own_log(fresh: Network) -> None:
    log = Log(fresh["GB"].log_signer)
    verdict = ask(fresh["GB"], log.request(0, 3))
    assert (verdict.status, verdict.rule) == (404, 2)
    assert kept(fresh["GB"], "gb.example/log") is None


def test_an_answer_is_a_cosignature_that_verifies(fresh: Network, log: Log) -> None:
    verdict = ask(fresh["GB"], log.request(0, 3))
    assert verdict.status == 200
    (line,) = parse_signature_lines(verdict.body.decode(), where="answer")
    assert len(line.text) < 140
    key = fresh["GB"].witness_signer.witness_key
    assert verify_cosignature(line, key, Checkpoint("ke.example/log", 3, log.head(3).root).text)
    assert kept(fresh.open("GB")) == log.head(3)


def test_the_head_is_kept_before_anything_is_signed(
    fresh: Network, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def noting(*_: object) -> None:
        seen.append(kept(fresh.open("GB")))
        raise KeyboardInterrupt

    monkeypatch.setattr(witnessing, "cosign", noting)
    with pytest.raises(KeyboardInterrupt):
        ask(fresh["GB"], log.request(0, 3))
    assert seen == [log.head(3)]
    monkeypatch.undo()
    # The answer was lost; asking again from where the witness is brings it.
    assert ask(fresh["GB"], log.request(3, 3)).status == 200


def test_a_refused_request_changes_nothing(fresh: Network, log: Log) -> None:
    ask(fresh["GB"], log.request(0, 5))
    before = kept(fresh["GB"])
    fork = Log(fresh["KE"].log_signer, mark="other ")
    stranger = Log(NoteSigner("ke.example/log", generate_key()))
    for body, status in (
        (b"", 400), (log.request(9, 8), 400), (log.request(0, 8), 409), (log.request(3, 8), 409),
        (fork.request(5, 5), 409), (fork.request(5, 8), 422), (stranger.request(5, 8), 403),
        (Log(NoteSigner("zz.example/log", generate_key())).request(5, 8), 404),
    ):  # fmt: skip
        assert ask(fresh["GB"], body).status == status
        assert kept(fresh["GB"]) == before


def evidence_of(node: Node) -> list[Path]:
    return sorted((node.folder.root / "evidence").glob("*"))


def shows_a_fork(path: Path, node: Node) -> bool:
    return all(check.ok for check in verify_equivocation(path.read_bytes(), node.roster))


@pytest.mark.parametrize(("size", "status"), [(5, 409), (8, 422), (400, 422)])
def test_rule_5_a_fork_that_is_shown_to_a_witness_leaves_evidence(
    fresh: Network, log: Log, size: int, status: int
) -> None:
    assert ask(fresh["GB"], log.request(0, 5)).status == 200
    fork = Log(fresh["KE"].log_signer, mark="other ")
    verdict = ask(fresh["GB"], fork.request(5, size))
    assert verdict.status == status
    (path,) = evidence_of(fresh["GB"])
    assert str(path) in verdict.reason, "whoever carries a request by hand is told"
    assert b"evidence" not in verdict.body, "and whoever asks over HTTP is not told where it is"
    assert shows_a_fork(path, fresh["GB"])


def test_rule_5_an_honest_log_is_not_accused(fresh: Network, log: Log) -> None:
    ask(fresh["GB"], log.request(0, 5))
    request = parse_request(log.request(5, 8))
    bent = AddCheckpoint(5, (bytes(32), *request.proof[1:]), request.note).to_bytes()
    for body, status in (
        (log.request(0, 8), 409), (log.request(3, 4), 409), (bent, 422),
        (AddCheckpoint(5, (), request.note).to_bytes(), 422),
    ):  # fmt: skip
        verdict = ask(fresh["GB"], body)
        assert (verdict.status, "evidence" in verdict.reason) == (status, False)
    assert evidence_of(fresh["GB"]) == []


def test_rule_3_what_is_published_is_the_logs_own_line_and_the_cosignature(
    fresh: Network, log: Log
) -> None:
    request = parse_request(log.request(0, 5))
    stranger = cosign(request.note.text, NoteSigner("zz.example/x", generate_key()), NOW)
    note = Note(request.note.text, (stranger, *request.note.signatures))
    verdict = ask(fresh["GB"], AddCheckpoint(0, (), note).to_bytes())
    published = parse_note(fresh["GB"].cosigned("KE").read_bytes())
    assert published.signatures[:1] == request.note.signatures
    assert published.signatures[1].text.encode() == verdict.body
    assert len(published.signatures) == 2


def test_a_race_that_is_lost_is_judged_again(
    fresh: Network, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process is quicker between judging and keeping: 409 with the size it left."""
    real, turns = consider, iter([True])

    def slow(*given: object) -> Verdict:
        verdict = real(*given)  # type: ignore[arg-type]
        if next(turns, False):
            assert ask(fresh.open("GB"), log.request(0, 9)).status == 200
        return verdict

    monkeypatch.setattr(witnessing, "consider", slow)
    verdict = ask(fresh["GB"], log.request(0, 7))
    assert (verdict.status, verdict.rule, verdict.body) == (409, 5, b"9\n")
    assert kept(fresh["GB"]) == log.head(9)


def test_two_threads_for_200_rounds_never_go_back(fresh: Network, log: Log) -> None:
    """Both ask from the same size, one for more than the other; exactly one is cosigned."""
    victims = [fresh.open("GB"), fresh.open("GB")]
    signer = open_witness(victims[0])
    size, gate = 0, threading.Barrier(2)
    for turn in range(200):
        answers: dict[int, Verdict] = {}

        def run(which: int, new: int, old: int, answers: dict[int, Verdict]) -> None:
            gate.wait()
            answers[new] = add_checkpoint(victims[which], signer, log.request(old, new))

        news = (size + 1, size + 2) if turn % 2 else (size + 2, size + 1)
        threads = [
            threading.Thread(target=run, args=(which, new, size, answers))
            for which, new in enumerate(news)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (won,) = [new for new, verdict in answers.items() if verdict.status == 200]
        (lost,) = [verdict for verdict in answers.values() if verdict.status != 200]
        assert (lost.status, lost.body) == (409, b"%d\n" % won)
        assert kept(victims[0]) == log.head(won)
        size = won
    assert 200 <= size <= 400


def test_a_roster_that_comes_later_is_heeded_at_once(fresh: Network, log: Log) -> None:
    node = fresh["GB"]
    assert ask(node, log.request(0, 3)).status == 200
    others = [fresh[code] for code in (*CODES, DEVELOPER) if code != "KE"]
    for name, data in roster_files(others).items():
        (node.folder.roster / name).write_bytes(data)
    assert ask(node, log.request(3, 4)).status == 404


def test_who_is_no_witness_by_the_roster_does_not_open(fresh: Network) -> None:
    with pytest.raises(StateError, match="is no witness by the roster"):
        open_witness(fresh[DEVELOPER])


def test_a_witness_key_that_the_roster_does_not_list_does_not_open(fresh: Network) -> None:
    fresh["GB"].folder.key("witness").write_bytes(key_to_pem(generate_key(), None))
    with pytest.raises(StateError, match="another witness key than the roster lists"):
        open_witness(fresh.open("GB"))


def test_an_encrypted_key_does_not_open_without_its_passphrase(fresh: Network) -> None:
    node = fresh["GB"]
    node.folder.key("witness").write_bytes(key_to_pem(generate_key(), "a good secret"))
    with pytest.raises(InputError, match="no passphrase was given"):
        open_witness(fresh.open("GB"))


@pytest.mark.parametrize("year", [1, 1969])
def test_a_clock_out_of_range_signs_nothing(fresh: Network, log: Log, year: int) -> None:
    node = Node(fresh["GB"].folder, config("GB"), clock=lambda: datetime(year, 6, 1, tzinfo=UTC))
    with pytest.raises(StateError, match="is no witness by the roster"):
        ask(node, log.request(0, 3))
    # With its key at hand it knows no log yet at such a time.
    assert add_checkpoint(node, open_witness(fresh["GB"]), log.request(0, 3)).status == 404
    assert kept(fresh["GB"]) is None


def test_the_witness_follows_one_tree_by_pull_and_by_request(network: Network) -> None:
    network["KE"].say(plan("KE", 300))
    size = network["KE"].log.head(network["KE"].log_signer.log_key).size
    assert ask(network["GB"], own_request(network["KE"], 2).to_bytes()).status == 200
    (one,) = pull(network["GB"], {"KE": network.source("KE")})
    assert one.size == size
    assert ask(network["GB"], own_request(network["KE"], size).to_bytes()).status == 200


def test_a_logs_own_cosignature_never_counts_for_it(network: Network) -> None:
    """Two others and itself are not three: no proof, and a proof made so does not verify."""
    node = network["KE"]
    node.say(plan("KE", 300))
    note = node.log.note()
    assert note is not None
    lines = [
        parse_signature_lines(ask(network[code], own_request(node, 2).to_bytes()).body.decode(),
                              where=code)[0]
        for code in ("GB", "JP")
    ]  # fmt: skip
    lines.append(cosign(note.text, node.witness_signer, network.clock()))
    assert collect(node, [Note(note.text, (note.signatures[0], *lines)).to_bytes()])
    whole = node.log.note()
    assert whole is not None
    assert len(whole.signatures) == 4
    assert not quorum_of(whole, node.roster).met
    assert node.log.proof(2) is None
    proof = TlogProof(2, inclusion_proof(node.log.read, 2, 3), whole)
    envelope = node.envelope(envelope_in(LyingPeer(node).leaves[2]))
    verdict = verify_statement(StatementFile(envelope, proof).to_bytes(), node.roster, node.clock())
    assert [check.rule for check in verdict.failures] == [7]


# --- pace ---


def test_rule_4_requests_that_make_a_log_grow_are_counted(fresh: Network, log: Log) -> None:
    node, pace = fresh["GB"], Pace(per_minute=3)
    signer = open_witness(node)
    fixed = Node(node.folder, node.config, clock=lambda: NOW)
    answers = [add_checkpoint(fixed, signer, log.request(n, n + 1), pace).status for n in range(4)]
    assert answers == [200, 200, 200, 429]
    assert kept(node) == log.head(3)
    # What others send again is counted apart, and strangers' requests not at all.
    assert [add_checkpoint(fixed, signer, log.request(3, 3), pace).status for _ in range(4)] == [
        200,
        200,
        200,
        429,
    ]
    assert add_checkpoint(fixed, signer, log.request(0, 3), pace).status == 429
    assert add_checkpoint(fixed, signer, b"", pace).status == 400
    other = Log(fresh["JP"].log_signer)
    assert add_checkpoint(fixed, signer, other.request(0, 1), pace).status == 200
    later = Node(node.folder, node.config, clock=lambda: NOW + timedelta(minutes=1))
    assert add_checkpoint(later, signer, log.request(3, 4), pace).status == 200


def test_rule_4_replays_do_not_use_up_what_the_log_needs(fresh: Network, log: Log) -> None:
    node, pace = fresh["GB"], Pace(per_minute=2)
    fixed = Node(node.folder, node.config, clock=lambda: NOW)
    assert admit(fixed, log.request(0, 1), pace).status == 200
    assert [admit(fixed, log.request(0, 1), pace).status for _ in range(3)] == [409, 409, 429]
    assert admit(fixed, log.request(1, 2), pace).status == 200


@given(st.lists(st.integers(0, 600), max_size=80), st.integers(1, 10))
def test_rule_4_no_minute_has_more_than_is_allowed(seconds: list[int], per_minute: int) -> None:
    recent: tuple[datetime, ...] = ()
    allowed: list[datetime] = []
    for second in sorted(seconds):
        now = START + timedelta(seconds=second)
        found = within_pace(recent, now, per_minute)
        if found is None:
            assert sum(now - timedelta(minutes=1) < time <= now for time in allowed) == per_minute
        else:
            recent = found
            allowed.append(now)
        assert sum(now - timedelta(minutes=1) < time <= now for time in allowed) <= per_minute
        assert len(recent) <= per_minute


def test_rule_4_a_clock_that_was_set_back_bars_nobody() -> None:
    later = tuple(START + timedelta(hours=1) for _ in range(REQUESTS_PER_MINUTE))
    assert within_pace(later, START, REQUESTS_PER_MINUTE) == (START,)


# --- for people ---


@pytest.mark.parametrize(
    ("status", "rule", "code", "says"),
    [
        (400, 1, 1, "Ask the log for a new one"),
        (403, 3, 5, "Nothing was cosigned"),
        (404, 2, 1, "current roster"),
        (409, 5, 1, "--since 12"),
        (409, 6, 5, "Nothing was cosigned"),
        (422, 7, 5, "Nothing was cosigned"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, rule: int, code: int, says: str) -> None:
    error = refusal(Verdict(status, rule, "so it is", "text/plain", b"12\n"), where="file")
    assert error.exit_code == code
    assert str(error) == f"file: {status}: so it is"
    assert says in error.next_step


def test_a_request_of_the_own_log_is_small_and_bare(network: Network) -> None:
    node = network["KE"]
    request = own_request(node, 1)
    assert [line.name for line in request.note.signatures] == ["ke.example/log"]
    assert admit(network["GB"], request.to_bytes()).status == 409
    assert admit(network["GB"], own_request(node, 2).to_bytes()).state == WitnessState(
        2, node.log.head(node.log_signer.log_key).root
    )
    with pytest.raises(StateError, match="no witness can have cosigned 3"):
        own_request(node, 3)


def test_a_log_with_nothing_in_it_asks_nobody(fresh: Network) -> None:
    before = snapshot(fresh["KE"].folder.root)
    with pytest.raises(StateError, match="has logged nothing"):
        own_request(fresh["KE"], 0)
    assert snapshot(fresh["KE"].folder.root) == before


def test_a_log_whose_checkpoint_was_changed_asks_nobody(network: Network) -> None:
    spoil(network["KE"].folder.log / "checkpoint", sign_checkpoint(
        Checkpoint("ke.example/log", 1, bytes(32)), NoteSigner("ke.example/log", generate_key())
    ).to_bytes())  # fmt: skip
    with pytest.raises(VerificationError, match="is not signed by the log"):
        own_request(network["KE"], 0)

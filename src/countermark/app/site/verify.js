// SPDX-License-Identifier: Apache-2.0
/* Checks a published statement file against a roster. WebCrypto only, no dependency, no network.

   It keeps the seven rules of docs/wire-format.md, section 4, under the same numbers as
   `countermark verify`, and was written apart from it, so that each checks the other. Load it as a
   classic script in a page, or with require() in Node 19 or later; it sets globalThis.countermark:

     countermark.missing()                        why nothing can be checked here, or null
     countermark.verifyStatement(bytes, roster, at)
                                                  the verdict; `at` is the clock, in seconds
     countermark.verifyInclusion(leaf, index, size, hashes, root)

   A roster is {anchor, version, expires, parties, policies, kinds}: `parties` as in roster.json;
   `policies` a list of {text, valid_from, valid_until}; `kinds` says for each kind of record its
   version, the roles that may say it, and the fields of which the first names the speaker.

   Two things are left to `countermark verify`. The roster is taken as given: compare its anchor
   with what the members published. And rule 4 does not hold the record against the schema of its
   kind: it checks the kind, version, type and digest, and that nothing in it is null. */
"use strict";
(() => {
  const TITLES = {
    1: "The file is whole and in its one form",
    2: "A member of the roster signed it",
    3: "That member may say this, and its key was valid",
    4: "The content is what was signed",
    5: "It is in the log",
    6: "The log is the author's own",
    7: "Enough other members witnessed the log",
  };
  const MAX_FILE_BYTES = 64 * 1024 * 1024;
  const MAX_PROOF_BYTES = 256 * 1024;
  const MAX_DEPTH = 64;
  const MAX_HASHES = 63;
  const MAX_SIGNATURES = 32;
  const LAST_SECOND = 253402300799; // the end of the year 9999
  const MOST_AHEAD = 30; // seconds by which a witness's clock may be before ours
  const LOG_KEY = 0x01;
  const WITNESS_KEY = 0x04;
  const EMPTY_ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; // SHA-256 of nothing

  /** Why something is not what it should be. Anything else that is thrown is a defect here. */
  class Refusal extends Error {}
  const refuse = (what) => {
    throw new Refusal(what);
  };

  // ---- Bytes and text ---------------------------------------------------------------------

  const utf8 = (text) => new TextEncoder().encode(text);
  const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const shown = (text) => JSON.stringify(String(text).slice(0, 60));

  function joined(...parts) {
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let place = 0;
    for (const part of parts) {
      all.set(part, place);
      place += part.length;
    }
    return all;
  }

  /** Base64 has one text for each value here: encoding what was decoded must give it again. */
  function fromBase64(encoded) {
    let raw = null;
    try {
      raw = atob(encoded);
    } catch {
      // What is no base64 at all is refused below, with what decodes but has another text.
    }
    if (raw === null || btoa(raw) !== encoded) refuse(`${shown(encoded)} is not strict base64`);
    return Uint8Array.from(raw, (character) => character.charCodeAt(0));
  }

  /** Sizes and indices go up to 2^63, beyond what a number holds exactly. */
  function decimal(digits) {
    if (!/^(0|[1-9][0-9]{0,18})$/.test(digits) || BigInt(digits) >= 2n ** 63n) {
      refuse(`${shown(digits)} is not a whole number`);
    }
    return BigInt(digits);
  }

  // ---- JSON -------------------------------------------------------------------------------

  /** RFC 8785. JSON.stringify writes texts and numbers as it asks; sort() orders UTF-16 units. */
  function canonical(value, depth = 0) {
    if (typeof value === "string") {
      if (/\p{Surrogate}/u.test(value)) refuse("a text holds a lone surrogate");
      return JSON.stringify(value);
    }
    if (typeof value === "number") {
      const size = Math.abs(value);
      if (!(size <= Number.MAX_SAFE_INTEGER || (size >= 1e21 && size < Infinity))) {
        refuse("a number is out of range");
      }
      return JSON.stringify(value);
    }
    if (value === null || typeof value === "boolean") return String(value);
    if (depth >= MAX_DEPTH) refuse(`it is nested more than ${MAX_DEPTH} deep`);
    if (Array.isArray(value)) return `[${value.map((v) => canonical(v, depth + 1)).join(",")}]`;
    const fields = Object.keys(value).sort();
    return `{${fields.map((k) => `${canonical(k)}:${canonical(value[k], depth + 1)}`).join(",")}}`;
  }

  /** JSON.parse is lenient (a key twice, any spacing); writing it again and comparing is not. */
  function parseCanonical(bytes, ending, what) {
    let value;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    } catch {
      refuse(`${what} is not JSON in UTF-8`);
    }
    if (!same(utf8(canonical(value) + ending), bytes)) {
      refuse(`${what} is not in the one canonical byte form`);
    }
    return value;
  }

  function closed(value, fields, what) {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const held = isObject ? Object.keys(value) : [];
    if (held.length !== fields.length || !fields.every((field) => held.includes(field))) {
      refuse(`the fields of ${what} are not exactly ${fields.join(", ")}`);
    }
    return value;
  }

  const string = (value) =>
    typeof value === "string" ? value : refuse("a field that should be text is not");
  const isDigest = (value) => typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value);
  const holdsNull = (value) =>
    value === null || (typeof value === "object" && Object.values(value).some(holdsNull));

  // ---- Hashes and signatures --------------------------------------------------------------

  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const digest = async (bytes) => `sha256:${hex(await sha256(bytes))}`;

  async function ed25519(key, signature, message) {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return crypto.subtle.verify("Ed25519", imported, signature, message);
  }

  async function p256(key, signature, message) {
    const raw = derToRaw(signature);
    if (raw === null) return false;
    const curve = { name: "ECDSA", namedCurve: "P-256" };
    const imported = await crypto.subtle.importKey("raw", key, curve, false, ["verify"]);
    return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, imported, raw, message);
  }

  /** DER in its one form, SEQUENCE of two positive INTEGERs, to r and s of 32 bytes; else null. */
  function derToRaw(der) {
    // Two numbers of at most 33 bytes: every length fits in one byte.
    if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 72) return null;
    const raw = new Uint8Array(64);
    let place = 2;
    for (const end of [32, 64]) {
      const length = der[place + 1];
      if (der[place] !== 0x02 || !length || place + 2 + length > der.length) return null;
      let number = der.subarray(place + 2, place + 2 + length);
      if (number[0] & 0x80) return null; // negative
      if (number[0] === 0 && length > 1) {
        if (!(number[1] & 0x80)) return null; // a zero too many
        number = number.subarray(1);
      }
      if (number.length > 32) return null;
      raw.set(number, end - number.length);
      place += 2 + length;
    }
    return place === der.length ? raw : null;
  }

  /** Says why nothing can be checked here, or null; asks the engine the first test of RFC 8032. */
  async function missing() {
    if (!globalThis.crypto?.subtle) {
      return "This browser offers no cryptography to this page. Open it from a folder, from this " +
        "machine, or over https.";
    }
    const key = fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const signature = fromHex(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    const none = new Uint8Array(0);
    try {
      if (await ed25519(key, signature, none)) {
        if (!(await ed25519(key, signature, new Uint8Array(1)))) return null;
      }
    } catch {
      // An engine that does not know the name Ed25519 throws.
    }
    return "This browser cannot check Ed25519 signatures. Use a newer one.";
  }

  // ---- Tree (RFC 6962, RFC 9162) ----------------------------------------------------------

  const leafHash = (leaf) => sha256(joined([0], leaf));
  const nodeHash = (left, right) => sha256(joined([1], left, right));

  async function verifyInclusion(leaf, index, size, hashes, root) {
    if ([leaf, root, ...hashes].some((hash) => hash.length !== 32)) return false;
    let [position, last, value] = [BigInt(index), BigInt(size) - 1n, leaf];
    if (position < 0n || position > last) return false;
    for (const other of hashes) {
      if (last === 0n) return false;
      if (position & 1n || position === last) {
        value = await nodeHash(other, value);
        while (!(position & 1n) && position) [position, last] = [position >> 1n, last >> 1n];
      } else {
        value = await nodeHash(value, other);
      }
      [position, last] = [position >> 1n, last >> 1n];
    }
    return last === 0n && same(value, root);
  }

  // ---- Proof, note and keys (C2SP) --------------------------------------------------------

  // White space as Unicode has it, the plus sign and control characters; written out, because the
  // \s of JavaScript is another set.
  const NOT_IN_NAMES = /[\x00-\x20+\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
  const isKeyName = (name) => name !== "" && !NOT_IN_NAMES.test(name);

  function parseProof(proof) {
    if (utf8(proof).length > MAX_PROOF_BYTES) refuse("the proof is too long");
    if (/[\x00-\x09\x0b-\x1f]/.test(proof)) refuse("the proof holds a control character");
    const gap = proof.indexOf("\n\n");
    if (gap < 0) refuse("the proof has no empty line before the checkpoint");
    const [header, index, ...hashes] = proof.slice(0, gap).split("\n");
    if (header !== "c2sp.org/tlog-proof@v1") refuse("the proof does not begin as one");
    // An `extra` line, which nothing authenticates, is refused here too.
    if (!index?.startsWith("index ")) refuse("the proof has no index line");
    if (hashes.length > MAX_HASHES) refuse(`the proof has more than ${MAX_HASHES} hashes`);
    const path = hashes.map(fromBase64);
    if (path.some((hash) => hash.length !== 32)) refuse("a hash of the proof is not 32 bytes");
    const note = proof.slice(gap + 2);
    const end = note.lastIndexOf("\n\n");
    if (end <= 0 || !note.endsWith("\n")) refuse("the checkpoint is not a signed note");
    const lines = note.slice(end + 2).split("\n").slice(0, -1);
    if (lines.length < 1 || lines.length > MAX_SIGNATURES) {
      refuse(`the checkpoint does not have 1 to ${MAX_SIGNATURES} signatures`);
    }
    const found = { index: decimal(index.slice("index ".length)), path };
    const checkpoint = parseCheckpoint(note.slice(0, end + 1));
    return { ...found, ...checkpoint, lines: lines.map(signatureLine) };
  }

  function parseCheckpoint(text) {
    const [origin, size, root, ...more] = text.split("\n");
    if (more.length !== 1 || more[0] !== "") refuse("the checkpoint does not have three lines");
    if (!isKeyName(origin)) refuse(`the origin ${shown(origin)} is empty, or has a space or plus`);
    const found = { text, origin, size: decimal(size), root: fromBase64(root) };
    if (found.root.length !== 32) refuse("the root is not 32 bytes");
    if (found.size === 0n && root !== EMPTY_ROOT) refuse("the root is not the empty tree's");
    return found;
  }

  function signatureLine(line) {
    const [, name, encoded] = /^\u2014 ([^ ]+) (.*)$/s.exec(line) ?? [null, ""];
    if (!isKeyName(name)) refuse(`${shown(line)} is not a signature line`);
    const blob = fromBase64(encoded);
    if (blob.length <= 4) refuse(`the signature of ${shown(name)} is too short`);
    return { name, id: hex(blob.subarray(0, 4)), signature: blob.subarray(4) };
  }

  function parseKey(vkey, algorithm) {
    const [, name, id, material] = /^([^+]+)\+([0-9a-f]{8})\+(.*)$/s.exec(vkey) ?? [];
    const bytes = fromBase64(material ?? "");
    if (bytes[0] !== algorithm || bytes.length !== 33) refuse(`${shown(vkey)} is another key`);
    return { name, id, public: bytes.subarray(1) };
  }

  const isBy = (line, key) => line.name === key.name && line.id === key.id;

  /** The seconds that a cosignature line states, not verified, or null. */
  function claimedSeconds(line) {
    if (line.signature.length !== 72) return null;
    const bytes = line.signature;
    const seconds = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0));
    return seconds > 0 && seconds <= LAST_SECOND ? seconds : null;
  }

  // ---- Roster and policy ------------------------------------------------------------------

  const seconds = (stamp) => Date.parse(stamp) / 1000;
  const stamp = (at) => new Date(at * 1000).toISOString().replace(".000Z", "Z");
  const validAt = (entry, at) =>
    seconds(entry.valid_from) <= at && !(entry.valid_until && at >= seconds(entry.valid_until));

  const words = (line) => line.split(/[ \t]+/).filter(Boolean);

  function lists(policy, vkey) {
    const isIts = ([word, , key]) => word === "witness" && key === vkey;
    return policy.split("\n").map(words).some(isIts);
  }

  /** Tells whether witnesses, given by their verifier keys, are the quorum of a tlog-policy. */
  function quorumMet(policy, vkeys) {
    const known = new Set(["none"]);
    const satisfied = new Set(["none"]);
    const define = (name, holds) => {
      if (known.has(name)) refuse(`the policy defines ${shown(name)} twice`);
      known.add(name);
      if (holds) satisfied.add(name);
    };
    let quorum = null;
    for (const line of policy.split("\n")) {
      const [word, name, ...rest] = words(line);
      if (word === undefined || word.startsWith("#") || word === "log") continue;
      if (word === "witness") {
        define(name, vkeys.has(rest[0]));
      } else if (word === "group") {
        const members = rest.slice(1);
        // Groups refer back only, so one pass in the order of the file settles them all.
        if (!members.every((member) => known.has(member))) refuse("a group refers forward");
        const named = { any: 1, all: members.length };
        const threshold = named[rest[0]] ?? (/^[1-9][0-9]{0,5}$/.test(rest[0]) ? +rest[0] : NaN);
        if (!(threshold <= members.length)) refuse("a group asks for more than it has");
        define(name, members.filter((member) => satisfied.has(member)).length >= threshold);
      } else if (word === "quorum" && quorum === null && known.has(name)) {
        quorum = name;
      } else {
        refuse(`the policy has the line ${shown(line)}`);
      }
    }
    return satisfied.has(quorum ?? refuse("the policy has no quorum line"));
  }

  // ---- The seven rules --------------------------------------------------------------------

  async function verifyStatement(bytes, roster, at) {
    const checks = {};
    const note = (rule, ok, detail, reached = true) => {
      checks[rule] = { rule, title: TITLES[rule], ok, detail, reached };
    };
    const skip = (rule, because) => note(rule, false, `not reached: ${because}`, false);
    /** Runs one rule: it returns what later rules need, or refuses, which is noted. */
    const judge = async (rule, check) => {
      try {
        return await check((detail) => note(rule, true, detail));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        note(rule, false, error.message);
        return null;
      }
    };

    const file = await judge(1, (fine) => checkForm(bytes, fine));
    if (file === null) {
      for (let rule = 2; rule <= 7; rule += 1) skip(rule, "the file could not be read");
      return { valid: false, checks: Object.values(checks) };
    }
    const signer = await judge(2, (fine) => checkSignature(file, roster, fine));
    const record = await judge(4, (fine) => checkContent(file, roster, fine));
    const seen = await witnessing(file, roster, at);
    await judge(7, (fine) => checkWitnesses(file, seen, fine));

    if (signer === null) skip(3, "it is not known who signed");
    else if (record === null) skip(3, "the content could not be read");
    else if (seen.at === null) skip(3, "no quorum of witnesses says when");
    else await judge(3, (fine) => checkAuthority(signer, record, seen.at, roster, fine));
    if (record === null) skip(5, "the content could not be read, so its leaf is not known");
    else await judge(5, (fine) => checkInclusion(file, record, fine));
    if (signer === null) skip(6, "it is not known whose log it should be");
    else if (seen.at === null) skip(6, "no quorum of witnesses says when");
    else await judge(6, (fine) => checkLog(file, signer.party, seen.at, fine));

    const valid = Object.values(checks).every((check) => check.ok);
    const verdict = { valid, checks: Object.values(checks) };
    // What the statement says is handed out only if it is valid.
    if (!valid) return verdict;
    return {
      ...verdict,
      kind: record.kind,
      author: signer.party.code,
      name: signer.party.name,
      witnessed: stamp(seen.at),
      witnesses: seen.counted,
      origin: file.proof.origin,
      index: file.proof.index,
      record,
    };
  }

  /** Rule 1. */
  function checkForm(bytes, fine) {
    if (bytes.length > MAX_FILE_BYTES) refuse("the file is too long");
    const value = parseCanonical(bytes, "\n", "the file");
    closed(value, ["format", "version", "envelope", "proof"], "the file");
    if (value.format !== "countermark-statement" || value.version !== 1) {
      refuse("the file is not a countermark-statement of version 1");
    }
    const { payload, payloadType, signatures } = closed(
      value.envelope, ["payload", "payloadType", "signatures"], "the envelope");
    if (!Array.isArray(signatures) || signatures.length !== 1) {
      refuse("the envelope does not carry exactly one signature");
    }
    const { keyid, sig } = closed(signatures[0], ["keyid", "sig"], "the signature");
    if (!/^[0-9a-f]{64}$/.test(string(keyid))) refuse("the key id is not 64 hex digits");
    const file = {
      envelope: utf8(canonical(value.envelope)),
      payload: fromBase64(string(payload)),
      payloadType: string(payloadType),
      keyid,
      signature: fromBase64(string(sig)),
      proof: parseProof(string(value.proof)),
    };
    fine(`${bytes.length.toLocaleString("en")} bytes, canonical`);
    return file;
  }

  /** Rule 2; DSSE's pre-authentication encoding is what is signed. */
  async function checkSignature(file, roster, fine) {
    const short = `${file.keyid.slice(0, 12)}…`;
    const party = roster.parties.find((p) => p.statement_keys?.some((k) => k.keyid === file.keyid));
    const key = party?.statement_keys.find((k) => k.keyid === file.keyid);
    if (!key) refuse(`the key ${short} is not in the roster`);
    const type = utf8(file.payloadType);
    const head = utf8(`DSSEv1 ${type.length} ${file.payloadType} ${file.payload.length} `);
    const verify = { "ed25519": ed25519, "ecdsa-sha2-nistp256": p256 }[key.scheme];
    const good = await verify(fromHex(key.public), file.signature, joined(head, file.payload));
    if (!good) refuse(`the signature is not by ${party.name}'s key ${short}`);
    fine(`signed by ${party.name} (${party.code}), key ${short}`);
    return { party, key };
  }

  /** Rule 3. */
  function checkAuthority({ party, key }, record, at, roster, fine) {
    const when = `witnessed at ${stamp(at)}`;
    if (at >= seconds(roster.expires)) {
      refuse(`${when}, after the roster expired; get a newer roster`);
    }
    if (!validAt(key, at)) {
      const until = key.valid_until ? ` until ${key.valid_until}` : "";
      refuse(`${when}; the key is valid from ${key.valid_from}${until}`);
    }
    const { roles: needed, speaker } = roster.kinds[record.kind];
    const held = party.roles.filter((role) => validAt(role, at)).map((role) => role.role);
    if (!held.some((role) => needed.includes(role))) {
      const roles = held.join(", ") || "nothing";
      refuse(`${party.code} is ${roles} then, which may not say ${record.kind}`);
    }
    const said = (speaker || []).map((name) => record[name]).find((one) => one !== undefined);
    if (speaker && said !== party.code) {
      refuse(`the record speaks for ${shown(said)}, and ${party.code} signed it`);
    }
    fine(`${party.code} may say ${record.kind}; key valid at ${stamp(at)}`);
  }

  /** Rule 4, without the schema. */
  async function checkContent(file, roster, fine) {
    if (file.payloadType !== "application/vnd.in-toto+json") refuse("the payload is no statement");
    const value = parseCanonical(file.payload, "", "the payload");
    closed(value, ["_type", "subject", "predicateType", "predicate"], "the statement");
    if (value._type !== "https://in-toto.io/Statement/v1") refuse("it is no in-toto Statement v1");
    const record = value.predicate;
    const kind = record?.kind;
    if (typeof kind !== "string" || !Object.hasOwn(roster.kinds, kind)) {
      refuse(`the kind ${shown(kind)} is not known`);
    }
    if (holdsNull(record)) refuse("the record holds null");
    if (record.version !== roster.kinds[kind].version) refuse("the record is of another version");
    const address = await digest(utf8(canonical(record)));
    const subject = [{ name: kind, digest: { sha256: address.slice("sha256:".length) } }];
    if (canonical(value.subject) !== canonical(subject)) {
      refuse("the subject is not the kind and digest of the record");
    }
    if (value.predicateType !== `urn:countermark:${kind}:v${record.version}`) {
      refuse("the predicate type is not that of the record");
    }
    fine(`${kind} ${address}`);
    return record;
  }

  /** Rule 5; the leaf is derived from the envelope and stored nowhere. */
  async function checkInclusion(file, record, fine) {
    const envelope = await digest(file.envelope);
    const leaf = { v: 1, kind: record.kind, envelope, keyid: file.keyid };
    if (record.kind === "protocol") leaf.exercise = await digest(utf8(canonical(record)));
    else if (isDigest(record.protocol)) leaf.exercise = record.protocol;
    const { index, size, path, root, origin } = file.proof;
    const place = `leaf ${index} of ${size} in ${origin}`;
    if (!(await verifyInclusion(await leafHash(utf8(canonical(leaf))), index, size, path, root))) {
      refuse(`the path does not lead from it to ${place}`);
    }
    fine(place);
  }

  /** Rule 6. */
  async function checkLog({ proof }, party, at, fine) {
    const logs = party.logs ?? [];
    if (!logs.length) refuse(`the roster has no log of ${party.code}`);
    if (logs[0].origin !== proof.origin) {
      refuse(`it is in the log ${proof.origin}; ${party.code}'s is ${logs[0].origin}`);
    }
    for (const log of logs) {
      const key = parseKey(log.vkey, LOG_KEY);
      const lines = proof.lines.filter((line) => isBy(line, key));
      const good = await Promise.all(
        lines.map((line) => ed25519(key.public, line.signature, utf8(proof.text))));
      if (!good.length || good.includes(false)) continue;
      if (validAt(log, at)) return fine(`checkpoint of ${proof.origin}, signed by its key`);
      refuse(`witnessed at ${stamp(at)}; the log's key was not valid then`);
    }
    return refuse(`the checkpoint is not signed by the key of ${proof.origin}`);
  }

  /** What the lines under the checkpoint amount to: who cosigned, when, and what is wrong. */
  async function witnessing({ proof }, roster, at) {
    const owner = roster.parties.find((p) => p.logs?.some((log) => log.origin === proof.origin));
    const isLog = (line) => owner?.logs.some((log) => isBy(line, parseKey(log.vkey, LOG_KEY)));
    const problems = [];
    const others = [];
    let own = null;
    for (const line of proof.lines) {
      if (isLog(line)) continue; // rule 6 verifies it
      const found = await cosignature(line, proof.text, roster);
      if (found === null) {
        problems.push(`the line of ${shown(line.name)} is not a verified rostered cosignature`);
        continue;
      }
      const { party, name, time } = found;
      if (time > at + MOST_AHEAD) problems.push(`${name} says ${stamp(time)}, still to come`);
      if (party === owner) own = name; // a log's own witness never counts for it
      else others.push(found);
    }
    try {
      return { ...quorum(others, roster), own, problems };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { counted: [], passedOver: [], at: null, own, problems: [...problems, error.message] };
    }
  }

  /** The cosignatures that count, and the earliest time at which they met the policy in force. */
  function quorum(found, roster) {
    const [names, vkeys, passedOver] = [new Set(), new Set(), []];
    let met = null;
    for (const { party, entry, name, time } of found.sort((a, b) => a.time - b.time)) {
      const isWitness = party.roles.some((one) => one.role === "witness" && validAt(one, time));
      const policy = roster.policies.find((one) => validAt(one, time));
      const timely = isWitness && validAt(entry, time);
      if (!timely || !policy || !lists(policy.text, entry.vkey)) {
        const why = timely ? "no quorum policy listed its key then" : "its key was not valid then";
        passedOver.push(`${name} cosigned at ${stamp(time)} and does not count: ${why}`);
        continue;
      }
      names.add(name);
      vkeys.add(entry.vkey);
      if (met === null && quorumMet(policy.text, vkeys)) met = time;
    }
    return { counted: [...names].sort(byCodePoint), passedOver, at: met };
  }

  async function cosignature(line, note, roster) {
    const time = claimedSeconds(line);
    if (time === null) return null;
    for (const party of roster.parties) {
      for (const entry of party.witnesses ?? []) {
        const key = parseKey(entry.vkey, WITNESS_KEY);
        if (!isBy(line, key)) continue;
        const message = utf8(`cosignature/v1\ntime ${time}\n${note}`);
        const good = await ed25519(key.public, line.signature.subarray(8), message);
        return good ? { party, entry, name: key.name, time } : null;
      }
    }
    return null;
  }

  /** Rule 7. */
  function checkWitnesses({ proof }, seen, fine) {
    const problems = [...seen.problems];
    const names = proof.lines.map((line) => line.name);
    if (new Set(names).size < names.length) problems.push("a name is there twice");
    const rank = (line) => [line.name === proof.origin ? 0 : 1, line.name, line.id];
    const inOrder = proof.lines.every((line, i) => {
      if (i === 0) return true;
      const [a, b] = [rank(proof.lines[i - 1]), rank(line)];
      return (a[0] - b[0] || byCodePoint(a[1], b[1]) || byCodePoint(a[2], b[2])) <= 0;
    });
    if (!inOrder) problems.push("the lines are not in order (log first, then witnesses by name)");
    const who = seen.counted.join(", ") || "no witnesses";
    const listed = seen.own ? `${who} (and ${seen.own}, the log's own, not counted)` : who;
    if (seen.at === null) problems.push(`${listed} are no quorum`);
    if (problems.length) refuse([...problems, ...seen.passedOver].join("; "));
    const since = `${listed} cosigned, a quorum since ${stamp(seen.at)}`;
    fine([since, ...seen.passedOver].join("; "));
  }

  /** UTF-8 sorts as code points do; JavaScript's own order is by UTF-16 units. */
  function byCodePoint(a, b) {
    const [left, right] = [hex(utf8(a)), hex(utf8(b))];
    return left < right ? -1 : Number(left > right);
  }

  globalThis.countermark = { missing, verifyStatement, verifyInclusion, TITLES };
})();

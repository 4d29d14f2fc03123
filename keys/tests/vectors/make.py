#!/usr/bin/env python3
"""Writes the vectors of this folder that are named by their defect: python3 make.py

Ed25519 (RFC 8032), key ids and cosignatures are implemented here a second time, from the specifications and
without any library, so that what meed-keys reads was never written by it.
"""
import base64, hashlib, json, pathlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
HERE = pathlib.Path(__file__).parent


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P:
        return None
    if x == 0 and sign:
        return None
    return P - x if x % 2 != sign else x


def add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    A, B = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    C, E = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = B - A, E - C, E + C, B + A
    return e * f % P, g * h % P, f * g % P, e * h % P


def mul(scalar, point):
    out = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            out = add(out, point)
        point, scalar = add(point, point), scalar >> 1
    return out


def encode(point):
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(raw):
    number = int.from_bytes(raw, "little")
    y, sign = number & (2**255 - 1), number >> 255
    x = recover_x(y % P, sign)
    return None if x is None else (x, y % P, 1, x * y % P)


BASE_Y = 4 * pow(5, -1, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def expand(seed):
    h = hashlib.sha512(seed).digest()
    return int.from_bytes(h[:32], "little") & (2**254 - 8) | 2**254, h[32:]


def public(seed):
    return encode(mul(expand(seed)[0], BASE))


def challenge(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def sign(seed, message):
    scalar, prefix = expand(seed)
    r = challenge(prefix, message)
    R = encode(mul(r, BASE))
    return R + ((r + challenge(R, public(seed), message) * scalar) % L).to_bytes(32, "little")


def b64(raw):
    return base64.b64encode(raw).decode()


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def vkey(name, kind, key):
    return f"{name}+{key_id(name, kind, key).hex()}+{b64(bytes([kind]) + key)}"


def line(name, ident, signature):
    return f"\u2014 {name} {b64(ident + signature)}"


class Signer:
    def __init__(self, name, number, kind=4):
        self.name, self.kind, self.seed = name, kind, bytes([number]) * 32
        self.public = public(self.seed)
        self.id = key_id(name, kind, self.public)
        self.vkey = vkey(name, kind, self.public)

    def raw(self, text, time):
        message = text if self.kind == 1 else f"cosignature/v1\ntime {time}\n{text}"
        return sign(self.seed, message.encode())

    def sign(self, text, time=0):
        stamp = b"" if self.kind == 1 else time.to_bytes(8, "big")
        return line(self.name, self.id, stamp + self.raw(text, time))


ALICE, BOB, CAROL, EVE = (Signer(f"{n}.example", i) for n, i in (("alice", 11), ("bob", 12), ("carol", 13), ("eve", 14)))
LOG = Signer("ledger.example/default/epoch/12/0", 1, kind=1)
TEXT = "ledger.example/default/epoch/12/0\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nDistributed: 10000\n"
OTHER = TEXT.replace("epoch/12/0", "epoch/12/1")
TIME = 1_796_000_000


def small_order_points():
    """All 8 of them, from one point of order 8: a random point times L."""
    y = 3
    while True:
        point = decode(y.to_bytes(32, "little"))
        if point:
            torsion = mul(L, point)
            points = [encode(mul(k, torsion)) for k in range(8)]
            if len(set(points)) == 8:
                return points
        y += 1


def bad_verifier_keys():
    key, name, kid = ALICE.public, "alice.example", ALICE.id.hex()
    body = b64(b"\x04" + key)
    off_curve = next(n.to_bytes(32, "little") for n in range(2, 99) if decode(n.to_bytes(32, "little")) is None)
    unreduced = next((P + n).to_bytes(32, "little") for n in range(2, 19) if decode((P + n).to_bytes(32, "little")))
    of = lambda raw: f"{name}+{hashlib.sha256(name.encode() + chr(10).encode() + raw).hexdigest()[:8]}+{b64(raw)}"
    cases = [
        ("empty", "", "name+id+key"),
        ("only a name", name, "name+id+key"),
        ("no key", f"{name}+{kid}", "name+id+key"),
        ("name empty", f"+{kid}+{body}", "name is empty"),
        ("name with a space", f"alice example+{kid}+{body}", "has ' ' at byte 5"),
        ("name with a no-break space", f"alice\u00a0example+{kid}+{body}", "has '\\u{a0}' at byte 5"),
        ("name with a newline", f"alice\n+{kid}+{body}", "has '\\n' at byte 5"),
        ("name with DEL", f"alice\x7f+{kid}+{body}", "has '\\u{7f}' at byte 5"),
        ("name with a plus", f"alice+example+{kid}+{body}", "8 lower-case hex digits, got \"example\""),
        ("name of 256 bytes", vkey("n" * 256, 4, key), "expected at most"),
        ("name of 300 bytes", vkey("n" * 300, 4, key), "verifier key is too long"),
        ("id of another name", f"{name}+{BOB.id.hex()}+{body}", "does not match: expected " + kid),
        ("id of the other algorithm", f"{name}+{key_id(name, 1, key).hex()}+{body}", "does not match"),
        ("id in upper case", f"{name}+{kid.upper()}+{body}", "8 lower-case hex digits"),
        ("id of 7 digits", f"{name}+{kid[:7]}+{body}", "8 lower-case hex digits"),
        ("id of 9 digits", f"{name}+0{kid}+{body}", "8 lower-case hex digits"),
        ("id not hex", f"{name}+{kid[:7]}g+{body}", "8 lower-case hex digits"),
        ("key empty", f"{name}+{kid}+", "expected 32 bytes, got 0"),
        ("key without its last character", f"{name}+{kid}+{body[:-1]}", "expected standard base64"),
        ("key in the URL alphabet", f"{name}+{kid}+{body[:-1]}_", "expected standard base64"),
        ("key with a space after it", f"{name}+{kid}+{body} ", "expected standard base64"),
        ("key with a newline after it", f"{name}+{kid}+{body}\n", "expected standard base64"),
        ("key of 31 bytes", of(b"\x04" + key[:31]), "expected 32 bytes, got 31"),
        ("key of 32 bytes in all, trailing bits", f"{name}+{kid}+{'A' * 42}B=", "base64"),
        ("key of 33 bytes", of(b"\x04" + key + b"\0"), "expected 32 bytes, got 33"),
        ("point not on the curve", of(b"\x04" + off_curve), "no point of the curve"),
        ("point not canonical", of(b"\x04" + unreduced), "not canonical"),
        ("identity, not canonical", of(b"\x04" + (P + 1).to_bytes(32, "little")), "not canonical"),
        ("all bits set", of(b"\x04" + b"\xff" * 32), "not canonical"),
    ]
    for kind, said in ((0, "0x00 (unassigned)"), (2, "0x02 (ECDSA)"), (3, "0x03"), (5, "0x05"), (6, "0x06 (ML-DSA-44"), (255, "0xff")):
        cases.append((f"algorithm {kind:#04x}", of(bytes([kind]) + key), f"got {said}"))
    for number, point in enumerate(small_order_points()):
        cases.append((f"weak point, {number} times the generator of order 8", of(b"\x04" + point), "is weak"))
    return [{"defect": d, "vkey": v, "error": e} for d, v, e in cases]


def bad_signature_lines():
    good = BOB.sign(TEXT, TIME)
    dash, name, body = good.split(" ")
    cases = [
        ("empty", "", "em dash"),
        ("hyphen for the em dash", f"- {name} {body}", "em dash"),
        ("en dash for the em dash", f"\u2013 {name} {body}", "em dash"),
        ("no dash", f"{name} {body}", "em dash"),
        ("space before the dash", f" {good}", "em dash"),
        ("no space after the dash", f"{dash}{name} {body}", "em dash"),
        ("no-break space after the dash", f"{dash}\u00a0{name} {body}", "em dash"),
        ("two spaces after the dash", f"{dash}  {name} {body}", "name is empty"),
        ("two spaces before the signature", f"{dash} {name}  {body}", "base64"),
        ("tab before the signature", f"{dash} {name}\t{body}", "em dash"),
        ("no signature", f"{dash} {name}", "em dash"),
        ("signature empty", f"{dash} {name} ", "more than 4 bytes, got 0"),
        ("signature of a key id only", f"{dash} {name} {b64(BOB.id)}", "more than 4 bytes, got 4"),
        ("space after the signature", f"{good} ", "base64"),
        ("newline after the signature", f"{good}\n", "base64"),
        ("carriage return after the signature", f"{good}\r", "base64"),
        ("third word", f"{good} x", "base64"),
        ("no padding", good.rstrip("="), "base64"),
        ("too much padding", f"{good}=", "base64"),
        ("URL alphabet", f"{dash} {name} ____AAA=", "base64"),
        ("trailing bits", f"{dash} {name} AAAAAAB=", "base64"),
        ("name with a plus", f"{dash} bob+x {body}", "has '+' at byte 3"),
        ("name with a no-break space", f"{dash} bob\u00a0x {body}", "at byte 3"),
        ("name with a line separator", f"{dash} bob\u2028x {body}", "at byte 3"),
        ("name with DEL", f"{dash} bob\x7fx {body}", "at byte 3"),
        ("name of 256 bytes", f"{dash} {'n' * 256} {body}", "at most 255 bytes, got 256"),
        ("signature of 8,193 bytes", f"{dash} {name} {b64(bytes(4 + 8193))}", "at most 8192 bytes, got 8193"),
        ("line of 70,000 bytes", f"{dash} {name} {'A' * 70000}", "em dash"),
    ]
    return [{"defect": d, "line": l, "error": e} for d, l, e in cases]


def bad_notes():
    one, two = BOB.sign(TEXT, TIME), ALICE.sign(TEXT, TIME)
    many = "".join(f"\u2014 x {b64(i.to_bytes(5, 'big'))}\n" for i in range(101))
    long_text = "a" * (65535 - len(one.encode()) - 3) + "\n"
    cases = [
        ("empty", b"", "no blank line"),
        ("text only", TEXT, "no blank line"),
        ("no blank line", f"{TEXT}{one}\n", "no blank line"),
        ("no text", f"\n{one}\n", "no blank line"),
        ("no signature", f"{TEXT}\n", "no signature"),
        ("blank line with a space", f"{TEXT} \n{one}\n", "no blank line"),
        ("no newline at the end", f"{TEXT}\n{one}", "does not end in a newline"),
        ("blank line after the signatures", f"{TEXT}\n{one}\n\n", "no signature"),
        ("blank line between signatures", f"{TEXT}\n{one}\n\nx\n", "signature line 1"),
        ("second line malformed", f"{TEXT}\n{one}\n- x\n", "signature line 2"),
        ("CRLF", f"{TEXT}\n{one}\n".replace("\n", "\r\n"), "control character '\\r'"),
        ("tab in the text", f"a\tb\n\n{one}\n", "control character '\\t' at byte 1"),
        ("NUL in the text", f"a\0\n\n{one}\n", "control character '\\0' at byte 1"),
        ("escape in a signature", f"{TEXT}\n{one}\x1b\n", "control character '\\u{1b}'"),
        ("not UTF-8 in the text", b"a\xff\n\n" + one.encode() + b"\n", "not UTF-8 at byte 1"),
        ("overlong UTF-8", b"\xc0\xaf\n\n" + one.encode() + b"\n", "not UTF-8 at byte 0"),
        ("surrogate in UTF-8", b"\xed\xa0\x80\n\n" + one.encode() + b"\n", "not UTF-8 at byte 0"),
        ("UTF-16", f"{TEXT}\n{one}\n".encode("utf-16"), "not UTF-8 at byte 0"),
        ("101 signatures", f"{TEXT}\n{many}", "at most 100, got 101"),
        ("65,536 bytes", f"a{long_text}\n{one}\n", "at most 65535 bytes, got 65536"),
        ("junk after the signatures", f"{TEXT}\n{one}\n{two}\njunk\n", "signature line 3"),
    ]
    return [{"defect": d, "note_b64": b64(n if isinstance(n, bytes) else n.encode()), "error": e} for d, n, e in cases]


def bad_signatures():
    stamp = TIME.to_bytes(8, "big")
    raw = ALICE.raw(TEXT, TIME)
    R, S = raw[:32], int.from_bytes(raw[32:], "little")
    make = lambda signature, who=ALICE: line(who.name, who.id, signature)
    scalar, _ = expand(ALICE.seed)
    message = f"cosignature/v1\ntime {TIME}\n{TEXT}".encode()

    def with_r(encoded, r=0):
        """A signature whose equation holds for this R, of which r is the part that counts."""
        return encoded + ((r + challenge(encoded, ALICE.public, message) * scalar) % L).to_bytes(32, "little")

    identity = (1).to_bytes(32, "little")
    low = LOG.raw(TEXT, 0)
    cases = [
        ("scalar not canonical: S + L", ALICE, TEXT, make(stamp + R + (S + L).to_bytes(32, "little")), "does not verify"),
        ("scalar not canonical: S + 2^255", ALICE, TEXT, make(stamp + R + (S | 1 << 255).to_bytes(32, "little")), "does not verify"),
        ("scalar L with R the identity", ALICE, TEXT, make(stamp + identity + L.to_bytes(32, "little")), "does not verify"),
        ("R of small order, equation holds", ALICE, TEXT, make(stamp + with_r(identity)), "does not verify"),
        ("R not canonical, equation holds", ALICE, TEXT, make(stamp + with_r((P + 1).to_bytes(32, "little"))), "does not verify"),
        ("R not on the curve", ALICE, TEXT, make(stamp + (2).to_bytes(32, "little") + raw[32:]), "does not verify"),
        ("R and S swapped", ALICE, TEXT, make(stamp + raw[32:] + raw[:32]), "does not verify"),
        ("all zero", ALICE, TEXT, make(bytes(72)), "does not verify"),
        ("one bit of R", ALICE, TEXT, make(stamp + bytes([raw[0] ^ 1]) + raw[1:]), "does not verify"),
        ("time of another moment", ALICE, TEXT, make((TIME + 1).to_bytes(8, "big") + raw), "does not verify"),
        ("time swapped with another approval's", ALICE, TEXT, make((TIME + 60).to_bytes(8, "big") + ALICE.raw(TEXT, TIME - 60)), "does not verify"),
        ("time little-endian", ALICE, TEXT, make(TIME.to_bytes(8, "little") + raw), "does not verify"),
        ("time not in the signed bytes", ALICE, TEXT, make(stamp + sign(ALICE.seed, TEXT.encode())), "does not verify"),
        ("time padded in the signed bytes", ALICE, TEXT, make(stamp + sign(ALICE.seed, f"cosignature/v1\ntime 0{TIME}\n{TEXT}".encode())), "does not verify"),
        ("replay on another text", ALICE, OTHER, ALICE.sign(TEXT, TIME), "does not verify"),
        ("text without its last newline", ALICE, TEXT, make(stamp + ALICE.raw(TEXT[:-1], TIME)), "does not verify"),
        ("text with the blank line", ALICE, TEXT, make(stamp + ALICE.raw(TEXT + "\n", TIME)), "does not verify"),
        ("another key's signature under this name and id", ALICE, TEXT, make(stamp + EVE.raw(TEXT, TIME)), "does not verify"),
        ("another key", ALICE, TEXT, BOB.sign(TEXT, TIME), "by another key"),
        ("another key id", ALICE, TEXT, line(ALICE.name, BOB.id, stamp + raw), "by another key"),
        ("another name", ALICE, TEXT, line(BOB.name, ALICE.id, stamp + raw), "by another key"),
        ("cosignature without its time", ALICE, TEXT, make(raw), "expected 72 bytes, got 64"),
        ("cosignature of 71 bytes", ALICE, TEXT, make(stamp + raw[:-1]), "expected 72 bytes, got 71"),
        ("cosignature of 73 bytes", ALICE, TEXT, make(stamp + raw + b"\0"), "expected 72 bytes, got 73"),
        ("one byte", ALICE, TEXT, make(b"\0"), "expected 72 bytes, got 1"),
        ("log signature of 63 bytes", LOG, TEXT, make(low[:-1], LOG), "expected 64 bytes, got 63"),
        ("log signature of 65 bytes", LOG, TEXT, make(low + b"\0", LOG), "expected 64 bytes, got 65"),
        ("log signature with a time", LOG, TEXT, make(stamp + low, LOG), "expected 64 bytes, got 72"),
        ("log signature of another text", LOG, OTHER, LOG.sign(TEXT), "does not verify"),
    ]
    return [{"defect": d, "vkey": s.vkey, "text": t, "line": l, "error": e} for d, s, t, l, e in cases]


def set_lines(threshold, *keys, count=None):
    return [f"Threshold: {threshold} of {len(keys) if count is None else count}"] + [f"Approver: {k}" for k in keys]


def same_key_id():
    """Two verifier keys with one key id: 32 bits are soon found twice."""
    names = {key_id(f"a{n}.example", 4, ALICE.public): f"a{n}.example" for n in range(200_000)}
    for n in range(200_000):
        name = f"b{n}.example"
        if other := names.get(key_id(name, 4, BOB.public)):
            return vkey(other, 4, ALICE.public), vkey(name, 4, BOB.public)


def bad_approver_sets():
    a, b, c = ALICE.vkey, BOB.vkey, CAROL.vkey
    alias = vkey("bobby.example", 4, BOB.public)
    members = [Signer(f"m{i:02}.example", 40 + i).vkey for i in range(16)]
    accent = vkey("b\u00f6b.example", 4, BOB.public)
    cases = [
        ("no line", [], "Threshold: k of n"),
        ("no member", set_lines(1), "1 to 15 members, got 0"),
        ("threshold 0", set_lines(0, a, b, c), "1 to 3, got 0"),
        ("k above n", set_lines(4, a, b, c), "1 to 3, got 4"),
        ("threshold with a leading zero", set_lines("02", a, b, c), "Threshold: k of n"),
        ("threshold with a sign", set_lines("+2", a, b, c), "Threshold: k of n"),
        ("threshold negative", set_lines("-1", a, b, c), "Threshold: k of n"),
        ("threshold 256", set_lines(256, a, b, c), "Threshold: k of n"),
        ("threshold line last", set_lines(2, a, b, c)[::-1], "Threshold: k of n"),
        ("space after the threshold", ["Threshold: 2 of 3 "] + set_lines(2, a, b, c)[1:], "Threshold: k of n"),
        ("n too small", set_lines(2, a, b, c, count=2), "counts 2 approvers, got 3"),
        ("n too large", set_lines(2, a, b, c, count=4), "counts 4 approvers, got 3"),
        ("16 members", set_lines(9, *members), "1 to 15 members, got 16"),
        ("member twice", set_lines(2, a, b, b), "two approvers are named bob.example"),
        ("one name for two keys", set_lines(2, a, b, vkey("bob.example", 4, CAROL.public)), "two approvers are named bob.example"),
        ("one key under two names", set_lines(2, a, b, alias), "approvers bob.example and bobby.example have the same public key"),
        ("one key id for two keys", set_lines(2, *same_key_id()), "have the same key id"),
        ("not in order", set_lines(2, b, a, c), "alice.example stands after bob.example"),
        ("a log's key", set_lines(2, a, b, vkey("carol.example", 1, CAROL.public)), "approver carol.example has the wrong algorithm"),
        ("name outside ASCII", set_lines(2, a, accent), "expected visible ASCII"),
        ("line of another kind", set_lines(2, a, b)[:2] + [f"Witness: {b}"], "line 3"),
        ("line in lower case", set_lines(2, a, b)[:2] + [f"approver: {b}"], "line 3"),
        ("line with a space after it", set_lines(2, a, b)[:2] + [f"Approver: {b} "], "verifier key on line 3"),
        ("blank line", set_lines(2, a, b)[:2] + [""], "line 3"),
        ("id mismatch", set_lines(2, a, b.replace(BOB.id.hex(), "00000000")), "does not match"),
        ("weak key", set_lines(2, a, vkey("bob.example", 4, (1).to_bytes(32, "little"))), "is weak"),
    ]
    return [{"defect": d, "lines": l, "error": e} for d, l, e in cases]


def quorums():
    two_of_three = set_lines(2, ALICE.vkey, BOB.vkey, CAROL.vkey)
    a, b, c = (s.sign(TEXT, TIME + i) for i, s in enumerate((ALICE, BOB, CAROL)))
    alias = Signer("bobby.example", 12)
    forged = line(BOB.name, BOB.id, TIME.to_bytes(8, "big") + EVE.raw(TEXT, TIME))
    wide = ((TIME - 1) * 1000, (TIME + 10) * 1000)
    at = lambda who, time: who.sign(TEXT, time)
    case = lambda name, sigs, window=wide, text=TEXT, **more: {
        "name": name, "set": two_of_three, "text": text, "signatures": sigs, "after_ms": window[0], "until_ms": window[1], **more}
    good = [
        case("two of three", [a, c], approvals=2),
        case("all three, in another order", [c, a, b], approvals=3),
        case("one millisecond after the start", [a, b], (TIME * 1000 - 1, (TIME + 1) * 1000), approvals=2),
        case("at the last moment", [a, b], (0, (TIME + 1) * 1000), approvals=2),
    ]
    late = (TIME + 1) * 1000 - 1
    bad = [
        case("none", [], error="expected 2 of 3, got 0"),
        case("one of three", [b], error="expected 2 of 3, got 1"),
        case("member twice", [a, a], error="alice.example approved more than once"),
        case("member twice at two times", [a, at(ALICE, TIME + 5)], error="alice.example approved more than once"),
        case("member twice beside a quorum", [a, b, a], error="alice.example approved more than once"),
        case("unknown signer", [a, EVE.sign(TEXT, TIME)], error="eve.example+" + EVE.id.hex() + " is not in the approver set"),
        case("unknown signer beside a quorum", [a, b, EVE.sign(TEXT, TIME)], error="is not in the approver set"),
        case("member's key under another name", [b, alias.sign(TEXT, TIME)], error="bobby.example+" + alias.id.hex()),
        case("member's name with another id", [a, line(BOB.name, EVE.id, TIME.to_bytes(8, "big") + EVE.raw(TEXT, TIME))], error="bob.example+" + EVE.id.hex()),
        case("the node's line", [LOG.sign(TEXT), a, b], error=LOG.name),
        case("forged", [a, forged], error="approval of bob.example is not valid"),
        case("forged beside a quorum", [a, c, forged], error="approval of bob.example is not valid"),
        case("replay on another text", [a, b], text=OTHER, error="approval of alice.example is not valid"),
        case("time swapped", [a, line(BOB.name, BOB.id, (TIME + 2).to_bytes(8, "big") + BOB.raw(TEXT, TIME + 1))], error="approval of bob.example is not valid"),
        case("at the start", [a, b], (TIME * 1000, wide[1]), error="alice.example approved too early: expected a time after"),
        case("before the start", [b, at(ALICE, TIME - 100)], error="alice.example approved too early"),
        case("one millisecond late", [a, b], (wide[0], late), error=f"bob.example approved too late: expected a time not after {late} ms, got {TIME + 1} s"),
        case("late beside a quorum", [a, b, at(CAROL, TIME + 11)], error="carol.example approved too late"),
        case("time 0", [a, at(BOB, 0)], (0, wide[1]), error="bob.example approved too early"),
        case("time of 2^64 - 1 seconds", [a, at(BOB, 2**64 - 1)], (0, 2**63 - 1), error="bob.example approved too late"),
        case("time of 2^63 seconds", [a, at(BOB, 2**63)], (-(2**63), 2**63 - 1), error="bob.example approved too late"),
        case("window that is empty", [a, b], (wide[1], wide[0]), error="too early"),
    ]
    return good, bad


def write(name, value):
    text = json.dumps(value, indent=1, ensure_ascii=True)
    (HERE / name).write_text(text + "\n")


if __name__ == "__main__":
    good, bad = quorums()
    write("bad_verifier_keys.json", bad_verifier_keys())
    write("bad_signature_lines.json", bad_signature_lines())
    write("bad_notes.json", bad_notes())
    write("bad_signatures.json", bad_signatures())
    write("bad_approver_sets.json", bad_approver_sets())
    write("good_quorums.json", good)
    write("bad_quorums.json", bad)

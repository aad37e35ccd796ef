# Color photographs: docker build --tag colorize . && docker run --rm --volume "$PWD:/photos" colorize *.jpg
# The pipeline is not in it: .devcontainer/ is for that.
FROM python:3.12-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY colorize colorize
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim-bookworm
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    python -m pip install --no-cache-dir --no-compile /wheels/*.whl \
    && useradd --create-home --uid 1000 colorize
USER colorize
WORKDIR /photos
ENTRYPOINT ["colorize"]
CMD ["--help"]

# Two images: `cpu` (the default) and `gpu`, which adds the cuBLAS that CTranslate2 opens. docs/containers.md says how
# to run them. Whoever passes an image on passes on what is in it, eSpeak NG (GPL) among it: see LICENSE.

FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
# Extras of pyproject.toml, by spaces. `chattts` installs torch (gigabytes); its licences are in LICENSE.
ARG EXTRAS=""
# The packages alone first: they change less often than the code.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --no-install-project $(for extra in $EXTRAS; do echo "--extra $extra"; done)
COPY README.md LICENSE Modelfile ./
COPY agent agent
COPY api api
COPY configs configs
COPY memory memory
COPY models models
COPY tools tools
COPY examples examples
# Nothing is written there later, so the bytecode is made now; whatever the umask was, every user may read.
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev $(for extra in $EXTRAS; do echo "--extra $extra"; done) \
    && python -m compileall -q agent api configs memory models tools \
    && chmod -R a+rX,go-w /app

# CTranslate2 opens libcublas.so.12; torch brings that of CUDA 13, the driver none.
FROM python:3.11-slim-bookworm AS cublas
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-deps \
    --only-binary :all: --target /opt/cublas nvidia-cublas-cu12==12.9.1.4

FROM python:3.11-slim-bookworm AS runtime
LABEL org.opencontainers.image.title="Tingshuo" \
      org.opencontainers.image.description="A local-first voice assistant for your documents, in Chinese and English" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-or-later"
RUN groupadd --gid 10001 tingshuo \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin tingshuo \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=build /app /app
# Only /data and /tmp are ever written.
ENV PATH=/app/.venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    TINGSHUO_DATA=/data
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8484
USER 10001:10001
# http.client, since it takes no proxy from the environment.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5m --start-interval=2s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8484, timeout=4); c.request('GET', '/health'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["tingshuo"]
CMD ["serve"]

FROM runtime AS gpu
COPY --from=cublas /opt/cublas /opt/cublas
ENV LD_LIBRARY_PATH=/opt/cublas/nvidia/cublas/lib \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

FROM runtime AS cpu

# syntax=docker/dockerfile:1
# Stage 1 builds the wheel with the console in it; stage 2 has neither Node nor a compiler.
FROM python:3.13-slim AS build
ARG UV_DEFAULT_INDEX
ARG npm_config_registry
WORKDIR /source
RUN python -m venv /uv && /uv/bin/pip install --no-cache-dir --disable-pip-version-check \
    ${UV_DEFAULT_INDEX:+--index-url "$UV_DEFAULT_INDEX"} "uv>=0.9,<1"
COPY . .
# From the source tree, so that the exact versions in pyproject.toml hold.
RUN TIDEMILL_CONSOLE=require /uv/bin/uv build --wheel --out-dir /wheel \
    && /uv/bin/uv venv /opt/tidemill \
    && /uv/bin/uv pip install --compile-bytecode --python /opt/tidemill/bin/python "tidemill[redis] @ $(ls /wheel/*.whl)"

FROM python:3.13-slim
COPY --from=build /opt/tidemill /opt/tidemill
RUN useradd --create-home --uid 10001 tidemill && install -d -o tidemill -g tidemill -m 0700 /data
USER tidemill
ENV PATH=/opt/tidemill/bin:$PATH \
    TIDEMILL_HOME=/data \
    TIDEMILL_HOST=0.0.0.0 \
    TIDEMILL_PORT=5001
VOLUME /data
EXPOSE 5001
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5001/readyz', timeout=2)"]
CMD ["tidemill", "serve"]

# One image for every process: web, workers, relay, migrate-once. The second target,
# `chain`, is a local test chain for trying the installation out.
FROM python:3.11-slim AS packages
ENV PIP_NO_CACHE_DIR=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/venv
# a compiler for PDQ, which has no wheel for this Python; it stays in this stage
RUN apt-get update && apt-get install -y --no-install-recommends g++ libc6-dev \
 && rm -rf /var/lib/apt/lists/* \
 && pip install "uv>=0.9"
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --no-install-project --extra server --extra pdq

FROM python:3.11-slim AS app
RUN useradd --system --uid 10001 --create-home colophon \
 && mkdir -p /data /keys/chain && chown -R colophon:colophon /data /keys && chmod 700 /keys
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 COLOPHON_VAR=/data COLOPHON_STATIC_ROOT=/srv/static
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
# static files with their compressed twins are made once, here, and never at a start
RUN COLOPHON_VAR=/tmp/build COLOPHON_SECURE=1 \
    DATABASE_URL=postgres://nobody@localhost/none \
    python manage.py collectstatic --noinput --verbosity 0 \
 && rm -rf /tmp/build
USER colophon
VOLUME ["/data", "/keys"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s \
  CMD ["python", "-m", "config.health_check", "web"]
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--access-logfile", "-"]

FROM node:22-slim AS anvil
WORKDIR /anvil
COPY package.json package-lock.json .npmrc ./
RUN npm ci

FROM app AS chain
COPY --from=anvil /anvil/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil /usr/local/bin/anvil
USER root
RUN mkdir /state && chown colophon:colophon /state
USER colophon
VOLUME /state
EXPOSE 8545
CMD ["python", "-m", "chain.anvil", "--host", "0.0.0.0", "--state", "/state/anvil.json"]

# what `docker build .` makes when no target is named
FROM app

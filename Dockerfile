# One image for every process: web, workers, relay, migrate-once.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN pip install "uv>=0.9"
WORKDIR /app
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY colophon/__init__.py colophon/__init__.py
RUN uv sync --frozen --no-default-groups --extra server --no-install-project
COPY . .
RUN uv sync --frozen --no-default-groups --extra server \
 && COLOPHON_DEBUG=1 COLOPHON_VAR=/tmp/build .venv/bin/python manage.py check \
 && COLOPHON_SECURE=1 COLOPHON_VAR=/tmp/build COLOPHON_STATIC_ROOT=/app/staticfiles \
    DATABASE_URL=postgres://nobody@localhost/none \
    .venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
 && rm -rf /tmp/build

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home colophon \
 && mkdir -p /data && chown colophon:colophon /data
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 \
    COLOPHON_VAR=/data COLOPHON_STATIC_ROOT=/app/staticfiles
WORKDIR /app
COPY --from=build --chown=root:root /app /app
USER colophon
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/healthz', headers={'X-Forwarded-Proto': 'https', 'Host': 'localhost'}), timeout=4)"]
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--access-logfile", "-"]

# The service on any container engine: dependencies by hash, no root, nothing written outside /var/lib/duanhao* and /tmp.
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/duanhao
WORKDIR /srv/duanhao
COPY requirements/run.lock requirements/run.lock
RUN /opt/duanhao/bin/python -m pip install --require-hashes -r requirements/run.lock
COPY pyproject.toml README.md LICENSE alembic.ini ./
COPY migrations migrations
COPY app app
RUN /opt/duanhao/bin/python -m pip install --no-deps --no-build-isolation -e . \
    && /opt/duanhao/bin/python -m compileall -q app migrations

FROM python:${PYTHON_VERSION}-slim
LABEL org.opencontainers.image.title="Duanhao" \
      org.opencontainers.image.description="A company's contact directory that opens a protected value only after the look is on record" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
RUN groupadd --gid 10001 duanhao \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/duanhao --shell /usr/sbin/nologin duanhao \
    && install -d -m 0700 -o duanhao -g duanhao /var/lib/duanhao \
    && install -d -m 0750 -o duanhao -g duanhao /var/lib/duanhao-checkpoints
COPY --from=build /opt/duanhao /opt/duanhao
COPY --from=build /srv/duanhao /srv/duanhao
ENV PATH=/opt/duanhao/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONFAULTHANDLER=1 \
    DUANHAO_DATA_DIR=/var/lib/duanhao \
    DUANHAO_AUDIT__CHECKPOINT_FILE=/var/lib/duanhao-checkpoints/checkpoints
WORKDIR /srv/duanhao
USER 10001:10001
VOLUME ["/var/lib/duanhao", "/var/lib/duanhao-checkpoints"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: a store that is away makes /readyz red, and a restart would not bring it back.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2).close()"]
CMD ["duanhao", "serve", "--host", "0.0.0.0", "--port", "8000"]

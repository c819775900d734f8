# ReplyBy in a container: docker build -t replyby . && docker run -v "$PWD:/data" -p 127.0.0.1:9464:9464 replyby
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY monitor monitor
COPY alerts alerts
# pip is not needed in the result, and bytecode is made at the first start.
RUN python -m venv /opt/replyby \
    && /opt/replyby/bin/pip install --no-cache-dir --no-compile ".[postgresql,oauth]" \
    && /opt/replyby/bin/pip uninstall --yes pip setuptools \
    && find /opt/replyby -name __pycache__ -prune -exec rm -r {} +

FROM python:3.11-slim
COPY --from=build /opt/replyby /opt/replyby
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin replyby \
    && mkdir /data && chown replyby /data
ENV PATH=/opt/replyby/bin:$PATH PYTHONUNBUFFERED=1 PYTHONPYCACHEPREFIX=/tmp/pycache MPLCONFIGDIR=/tmp
USER 10001
# config.toml, the database and the secrets live here; set metrics_listen = "0.0.0.0:9464" and metrics_public = true in it.
WORKDIR /data
VOLUME /data
EXPOSE 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10m \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/healthz', timeout=4)"]
ENTRYPOINT ["replyby"]
CMD ["run"]

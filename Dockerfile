# Stipple: the command, the page and the JSON API. `docker build -t stipple .`
# llama-cpp-python is compiled here, once; the image that runs has no compiler.
# The model that writes answers (1.1 GB) is not in the image. Pull it into the volume once, then restart the server:
#   docker run --rm -v stipple-data:/data stipple stipple models pull
# Until then answers are quotes. To serve, say who may read: docker run -e STIPPLE_READERS=open ... (docs/deploying.md).
FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential cmake git \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/stipple
ENV PATH=/opt/stipple/bin:$PATH
WORKDIR /source
COPY . .
# Which build of PyTorch: the CPU's by default, or another that your pip finds, as in `make install TORCH=…`.
ARG TORCH="torch==2.13.0"
RUN pip install --no-cache-dir "$TORCH" && pip install --no-cache-dir .

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 stipple \
    && install -d -o stipple /data
COPY --from=build /opt/stipple /opt/stipple
ENV PATH=/opt/stipple/bin:$PATH \
    STIPPLE_DATA_DIR=/data \
    STIPPLE_HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1
USER stipple
WORKDIR /home/stipple
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["stipple", "serve"]

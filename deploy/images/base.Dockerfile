# Two images under every room: `build` turns a room into a virtual environment, `run` carries it.
#   podman build --target build -t jiuye-build -f deploy/images/base.Dockerfile .
#   podman build --target run   -t jiuye-run   -f deploy/images/base.Dockerfile .
# BASE_IMAGE is any Debian-like image with python3 >= 3.11 and its venv module.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
RUN python3 -m venv --without-pip /opt/jiuye && python3 -m venv /opt/tools
COPY requirements/build.txt /src/requirements/build.txt
RUN /opt/tools/bin/python -m pip install --no-cache-dir --require-hashes -r /src/requirements/build.txt
COPY deploy/images/install-room /usr/local/bin/install-room
COPY shared /src/shared
COPY requirements /src/requirements

FROM ${BASE_IMAGE} AS run
RUN groupadd --gid 10001 jiuye && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin jiuye
ENV PATH=/opt/jiuye/bin:${PATH} PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000 8001
STOPSIGNAL SIGTERM

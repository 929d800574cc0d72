# The operator's image: Python, a virtual environment, and nothing that the operator does not run.
#
#   docker build -t kopfwerk:dev .
#   docker build -t kopfwerk:dev --build-arg BASE=registry.example.com/python:3.12-slim .
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/kopfwerk
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# What changes seldom comes first: the dependencies, each by its hash. Bytecode is compiled below, for what is used.
COPY requirements.lock requirements-build.lock ./
RUN python -m pip --python /opt/kopfwerk/bin/python install --quiet --no-compile --require-hashes -r requirements.lock \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --quiet --require-hashes -r requirements-build.lock

COPY pyproject.toml README.md LICENSE ./
COPY crds crds
COPY operators operators
RUN /opt/build/bin/pip wheel --quiet --no-build-isolation --no-deps --wheel-dir /opt/wheel . \
 && python -m pip --python /opt/kopfwerk/bin/python install --quiet --no-compile --no-deps /opt/wheel/*.whl
# The file system is read-only where this runs, so each start would compile anew: what the operator imports is compiled
# here, and stays valid whatever the layers' time stamps are.
COPY image/compile.py /opt/
RUN /opt/kopfwerk/bin/python /opt/compile.py

FROM ${BASE}
ARG VERSION=dev
LABEL org.opencontainers.image.title="Kopfwerk" \
      org.opencontainers.image.description="Kubernetes' workload controllers as an operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /opt/kopfwerk /opt/kopfwerk
ENV PATH=/opt/kopfwerk/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /
EXPOSE 8080 9443
ENTRYPOINT ["kopfwerk"]
CMD ["run"]

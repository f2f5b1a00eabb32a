# The image that Kubernetes runs the cluster from (clusters/kuberay-rayjob.yaml): the checkout, with pinned versions.
#   docker build --platform linux/amd64 --tag REGISTRY/wattbit-sweep:0.1.0 .
FROM python:3.11-slim

# KubeRay asks the nodes for their health by wget.
RUN apt-get update && apt-get install --yes --no-install-recommends wget && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 ray && mkdir /opt/wattbit-sweep && chown ray /opt/wattbit-sweep
WORKDIR /opt/wattbit-sweep
COPY --chown=ray . .
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir -c constraints.txt -e '.[cluster]'
ENV PATH=/opt/venv/bin:$PATH
USER ray

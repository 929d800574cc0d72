"""Tells the apiserver where the operator of an embedded cluster validates custom resources."""

import base64

from operators.cluster.api import APPLY, Api
from operators.cluster.arguments import Layout
from operators.cluster.bootstrap import FIELD_MANAGER
from operators.cluster.certificates import CLIENTS
from operators.runtime import admission


def register(api: Api, layout: Layout) -> None:
    """Send the writes of custom resources to this cluster's operator, for which the cluster's authority vouches."""
    authority = base64.b64encode((layout.pki / "ca.crt").read_bytes()).decode()
    url = f"https://127.0.0.1:{layout.ports.webhook}/validate"
    configuration = admission.configuration({"url": url, "caBundle": authority}, own_user=CLIENTS["operator"][0])
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    api.request("PATCH", f"{path}/{configuration['metadata']['name']}?{FIELD_MANAGER}", configuration, APPLY)

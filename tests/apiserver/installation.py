"""What an installation has for its webhook, in a namespace of its own, so that several tests share one apiserver."""

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from operators.core.admission.certificate import Serving
from operators.core.objects import Obj
from operators.runtime import admission
from operators.runtime.client import Client, Requests, path
from operators.runtime.webhook_certificate import CONFIGURATIONS, SECRETS, Wanted, authorities, serving

NAME: Final = "webhook"
"""Of the Secret and of the Service."""

Rules = Mapping[str, list[str]]
"""Verbs by what they are for: each is a resource of which one name is meant, or any."""

CREATE, SECRET, CONFIGURATION = "any secret", "secret", "configuration"
RIGHTS: Final[Rules] = {CREATE: ["create"], SECRET: ["get", "update"], CONFIGURATION: ["get", "patch"]}
"""What `kopfwerk webhook-certificate` says that it needs."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One namespace with what the webhook's certificate is about."""

    client: Client
    namespace: str

    @property
    def configuration(self) -> str:
        """The name of the ValidatingWebhookConfiguration."""
        return f"validation-{self.namespace}"

    @property
    def wanted(self) -> Wanted:
        """What a run is asked for."""
        return Wanted(self.namespace, NAME, NAME, self.configuration)

    @property
    def secret_url(self) -> str:
        """Where the Secret is."""
        return path(SECRETS, self.namespace, NAME)

    @property
    def host(self) -> str:
        """The name for which the apiserver wants a certificate."""
        return f"{NAME}.{self.namespace}.svc"

    async def create(self) -> None:
        """Make the namespace."""
        await self.client.request("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})

    async def configure(self, port: int = 443) -> None:
        """Have the apiserver ask what listens on a port of this machine about the writes in this namespace."""
        service = {
            "metadata": {"name": NAME},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }
        await self.client.request("POST", f"/api/v1/namespaces/{self.namespace}/services", service)
        where = {"name": NAME, "namespace": self.namespace, "path": "/validate", "port": port}
        obj = admission.configuration({"service": where})
        obj["metadata"]["name"] = self.configuration
        selector = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        first = obj["webhooks"][0] | {"namespaceSelector": selector}
        second = first | {"name": "second.kopfwerk.dev", "objectSelector": {"matchLabels": {"asks": "nobody"}}}
        obj["webhooks"] = [first, second]
        await self.client.request("POST", path(CONFIGURATIONS), obj)

    async def secret(self) -> Obj:
        """Return the Secret."""
        return await self.client.request("GET", self.secret_url)

    async def serving(self) -> Serving:
        """Return what can be served with."""
        found = serving(await self.secret())
        assert isinstance(found, Serving), found
        return found

    async def files(self) -> dict[str, bytes]:
        """Return what a kubelet brings."""
        data = (await self.secret())["data"]
        return {name: base64.b64decode(data[name]) for name in ("tls.crt", "tls.key")}

    async def bundles(self) -> list[list[str]]:
        """Return whom each webhook trusts."""
        obj = await self.client.request("GET", path(CONFIGURATIONS, name=self.configuration))
        texts = [webhook["clientConfig"].get("caBundle", "") for webhook in obj["webhooks"]]
        return [[authority.pem for authority in authorities(text)] for text in texts]

    async def bundle(self) -> list[str]:
        """Return whom every webhook trusts: all the same."""
        first, *others = await self.bundles()
        assert others == [first]
        return first

    async def account(self, rules: Rules) -> str:
        """Make an account with these rights and no others; return its token."""
        named = {CREATE: None, SECRET: NAME, CONFIGURATION: self.configuration}
        about = {CREATE: ("", "secrets"), SECRET: ("", "secrets")}
        about[CONFIGURATION] = (CONFIGURATIONS.group, CONFIGURATIONS.plural)
        accounts = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        await self.client.request("POST", accounts, {"metadata": {"name": "certificate"}})
        subject = {"kind": "ServiceAccount", "name": "certificate", "namespace": self.namespace}
        for kind, kept in (("Role", (CREATE, SECRET)), ("ClusterRole", (CONFIGURATION,))):
            allowed: list[dict[str, Any]] = [
                {"apiGroups": [about[what][0]], "resources": [about[what][1]], "verbs": rules[what]}
                | ({"resourceNames": [named[what]]} if named[what] else {})
                for what in kept
                if rules[what]
            ]
            scope = f"namespaces/{self.namespace}/" if kind == "Role" else ""
            root, meta = f"/apis/rbac.authorization.k8s.io/v1/{scope}", {"name": f"{self.namespace}-certificate"}
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": meta["name"]}
            await self.client.request("POST", f"{root}{kind.lower()}s", {"metadata": meta, "rules": allowed})
            binding = {"metadata": meta, "roleRef": reference, "subjects": [subject]}
            await self.client.request("POST", f"{root}{kind.lower()}bindings", binding)
        answer = await self.client.request("POST", f"{accounts}/certificate/token", {"spec": {}})
        return str(answer["status"]["token"])


class Meddled(Requests):
    """A client beside which something happens at each write."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.writes = 0

    async def before(self, number: int) -> None:
        """Happen before a write: the first is number 1."""

    async def after(self, number: int) -> None:
        """Happen after it."""

    async def request(
        self,
        method: str,
        url: str,
        body: Obj | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """Pass the request on."""
        if method == "GET":
            return await self._client.request(method, url)
        self.writes += 1
        number = self.writes
        await self.before(number)
        answer = await self._client.request(method, url, body, params=params, content_type=content_type)
        await self.after(number)
        return answer

    def watch(self, url: str, params: Mapping[str, str], stall_after: float) -> AsyncIterator[bytes]:
        """Nobody watches here."""
        raise NotImplementedError

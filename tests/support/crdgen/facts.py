"""What the apiserver does with a pod template and its OpenAPI does not say. Names are (definition, field).

Sources: pkg/apis/core/v1/defaults.go and zz_generated.defaults.go (defaults), pkg/api/pod/util.go (what it drops while
a gate is off), pkg/apis/core/validation (what it takes). tests/apiserver/test_validation_*.py holds all of it against
the apiserver itself.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Field: TypeAlias = tuple[str, str]

GATED: Final[frozenset[Field]] = frozenset({
    ("PodSpec", "schedulingGroup"),  # GenericWorkload
    ("JobSpec", "scheduling"),  # WorkloadWithJob
    ("PodSpec", "evictionResponders"),  # EvictionRequestAPI
    ("GRPCAction", "mode"),  # GRPCContainerProbeTLS
    ("HTTPGetAction", "protocol"),  # H2CContainerProbe
    ("Lifecycle", "stopSignal"),  # ContainerStopSignals
    ("VolumeMount", "bindMountOptions"),  # VolumeBindMountOptions
    ("EmptyDirVolumeSource", "mode"),  # EmptyDirVolumeMode
    *((kind, "defaultUser") for kind in (  # AtomicWriteVolumeUserFields
        "SecretVolumeSource", "ConfigMapVolumeSource", "DownwardAPIVolumeSource", "ProjectedVolumeSource",
    )),
    *((kind, "user") for kind in (
        "KeyToPath", "DownwardAPIVolumeFile", "ServiceAccountTokenProjection", "ClusterTrustBundleProjection",
        "PodCertificateProjection",
    )),
})  # fmt: skip
"""Fields behind a feature gate that is off by default: the apiserver drops them from its own kinds."""

GATED_VALUES: Final[Mapping[Field, tuple[str, ...]]] = {
    ("Toleration", "operator"): ("Gt", "Lt"),  # TaintTolerationComparisonOperators
    ("StatefulSetUpdateStrategy", "type"): ("Recreate",),  # StatefulSetRecreateStrategy
}
"""Values of an enumeration behind such a gate."""

OPAQUE: Final[frozenset[Field]] = frozenset({("PodSpec", "ephemeralContainers")})
"""Fields that no template may use. They stay, so that a use is refused and not pruned, but need no structure."""

REPEATABLE: Final[frozenset[Field]] = frozenset({
    *((kind, field) for kind in ("Container", "EphemeralContainer") for field in ("env", "ports")),
    ("PodSpec", "imagePullSecrets"),
    ("PodSpec", "hostAliases"),
    ("ResourceRequirements", "claims"),
    ("ContainerRestartRuleOnExitCodes", "values"),
    ("ObjectMeta", "ownerReferences"),  # of a template: the object's own are the apiserver's affair
    ("ObjectMeta", "finalizers"),
})  # fmt: skip
"""Lists with keys, and sets, of which the apiserver nevertheless takes the same entry twice.

In a custom resource it would be refused, and manifests with a variable given twice are many. So these are atomic.
"""

DEFAULTS: Final[Mapping[Field, Any]] = {
    ("DeploymentSpec", "replicas"): 1,
    ("DeploymentSpec", "revisionHistoryLimit"): 10,
    ("DeploymentSpec", "progressDeadlineSeconds"): 600,
    # As a whole where none is given, and each half of rollingUpdate where that is given; but `type: Recreate` alone
    # must stay alone, hence no default for rollingUpdate itself.
    ("DeploymentSpec", "strategy"): {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    },
    ("DeploymentStrategy", "type"): "RollingUpdate",
    ("RollingUpdateDeployment", "maxSurge"): "25%",
    ("RollingUpdateDeployment", "maxUnavailable"): "25%",
    ("ReplicaSetSpec", "replicas"): 1,
    ("DaemonSetSpec", "revisionHistoryLimit"): 10,
    ("DaemonSetSpec", "updateStrategy"): {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
    },
    ("DaemonSetUpdateStrategy", "type"): "RollingUpdate",
    ("RollingUpdateDaemonSet", "maxSurge"): 0,
    ("RollingUpdateDaemonSet", "maxUnavailable"): 1,
    ("StatefulSetSpec", "replicas"): 1,
    ("StatefulSetSpec", "revisionHistoryLimit"): 10,
    ("StatefulSetSpec", "podManagementPolicy"): "OrderedReady",
    ("StatefulSetSpec", "serviceName"): "",
    # As the strategy of a Deployment: `type: OnDelete` alone must stay alone, and RollingUpdate alone has a meaning.
    ("StatefulSetSpec", "updateStrategy"): {
        "type": "RollingUpdate",
        "rollingUpdate": {"partition": 0, "maxUnavailable": 1},
    },
    ("StatefulSetUpdateStrategy", "type"): "RollingUpdate",
    ("RollingUpdateStatefulSetStrategy", "partition"): 0,
    ("RollingUpdateStatefulSetStrategy", "maxUnavailable"): 1,
    ("StatefulSetOrdinals", "start"): 0,
    ("StatefulSetSpec", "persistentVolumeClaimRetentionPolicy"): {"whenDeleted": "Retain", "whenScaled": "Retain"},
    ("StatefulSetPersistentVolumeClaimRetentionPolicy", "whenDeleted"): "Retain",
    ("StatefulSetPersistentVolumeClaimRetentionPolicy", "whenScaled"): "Retain",
    ("PersistentVolumeClaim", "apiVersion"): "v1",
    ("PersistentVolumeClaim", "kind"): "PersistentVolumeClaim",
    ("PersistentVolumeClaim", "status"): {"phase": "Pending"},
    ("PersistentVolumeClaimStatus", "phase"): "Pending",
    ("JobSpec", "completionMode"): "NonIndexed",
    ("JobSpec", "suspend"): False,
    ("JobSpec", "manualSelector"): False,
    ("CronJobSpec", "concurrencyPolicy"): "Allow",
    ("CronJobSpec", "suspend"): False,
    ("CronJobSpec", "successfulJobsHistoryLimit"): 3,
    ("CronJobSpec", "failedJobsHistoryLimit"): 1,
    ("PodFailurePolicyOnPodConditionsPattern", "status"): "True",
    ("ServiceSpec", "type"): "ClusterIP",
    ("ServiceSpec", "sessionAffinity"): "None",
    ("PodSpec", "dnsPolicy"): "ClusterFirst",
    ("PodSpec", "restartPolicy"): "Always",
    ("PodSpec", "schedulerName"): "default-scheduler",
    ("PodSpec", "securityContext"): {},
    ("PodSpec", "terminationGracePeriodSeconds"): 30,
    ("Container", "resources"): {},
    ("Container", "terminationMessagePath"): "/dev/termination-log",
    ("Container", "terminationMessagePolicy"): "File",
    ("Probe", "failureThreshold"): 3,
    ("Probe", "periodSeconds"): 10,
    ("Probe", "successThreshold"): 1,
    ("Probe", "timeoutSeconds"): 1,
    ("HTTPGetAction", "path"): "/",
    ("HTTPGetAction", "scheme"): "HTTP",
    ("GRPCAction", "service"): "",
    ("ObjectFieldSelector", "apiVersion"): "v1",
    ("FileKeySelector", "optional"): False,
    ("SecretVolumeSource", "defaultMode"): 420,
    ("ConfigMapVolumeSource", "defaultMode"): 420,
    ("DownwardAPIVolumeSource", "defaultMode"): 420,
    ("ProjectedVolumeSource", "defaultMode"): 420,
    ("ServiceAccountTokenProjection", "expirationSeconds"): 3600,
    ("HostPathVolumeSource", "type"): "",
    ("AzureDiskVolumeSource", "readOnly"): False,
    ("PersistentVolumeClaimSpec", "volumeMode"): "Filesystem",
}
"""Defaults that do not depend on another field: those that do cannot be had in a custom resource.

Left out for that reason: imagePullPolicy (Always for :latest), a volume without a source (emptyDir), serviceAccount
beside serviceAccountName, rollingUpdate where only `type: RollingUpdate` is given. The pod gets the first three from
the apiserver; the controller treats a missing rollingUpdate as 25% and 25%. Likewise of a Job: completions and
parallelism (1 and 1, but parallelism alone means a work queue), backoffLimit, podReplacementPolicy, and the selector.
Of a Service all that is allocated, and what depends on its type: its core Service has them, and its status shows them.
"""

ZERO: Final[Mapping[Field, Any]] = {
    ("HTTPHeader", "value"): "",
    ("ISCSIVolumeSource", "lun"): 0,
    ("Sysctl", "value"): "",
    ("SleepAction", "seconds"): 0,
    ("PreferredSchedulingTerm", "preference"): {},
    ("ReplicaSetStatus", "replicas"): 0,
    ("StatefulSetStatus", "replicas"): 0,
    ("DaemonSetStatus", "currentNumberScheduled"): 0,
    ("DaemonSetStatus", "desiredNumberScheduled"): 0,
    ("DaemonSetStatus", "numberMisscheduled"): 0,
    ("DaemonSetStatus", "numberReady"): 0,
}
"""Fields that are called required, but whose absence the apiserver reads as this value, and takes."""

OPTIONAL: Final[frozenset[Field]] = frozenset({
    ("ScaleIOVolumeSource", "secretRef"),
    *(("OwnerReference", field) for field in ("apiVersion", "kind", "name", "uid")),  # of a template: not looked at
})  # fmt: skip
"""Fields that are called required, but may be absent."""

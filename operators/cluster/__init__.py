"""The embedded cluster: etcd, kube-apiserver, kube-controller-manager, kube-scheduler and KWOK, each a process.

`kopfwerk up` starts one; so do tests and the benchmark, through `Cluster`:

    from operators.cluster.cluster import Cluster, Settings

    with Cluster(Settings(nodes=3, operator=False)) as cluster:   # or cluster.start() … cluster.stop()
        cluster.kubeconfig                  # the administrator's kubeconfig, a Path
        cluster.operator_kubeconfig         # the operator's
        cluster.program("kubectl")          # the file of any of the programs
        cluster.api().get("/api/v1/nodes")  # a blocking client for the odd request
        cluster.processes["kwok"].pid       # each component as a Process: pid, running, log, tail(), stop(), kill()
        cluster.check()                     # raises ClusterError with the end of the log when a component has died

Single components can be stopped, started anew with other arguments, and doubled:

    cluster.processes["kube-controller-manager"].stop()
    cluster.restart("kube-controller-manager")              # as it was
    cluster.restart("kube-controller-manager", cluster.controller_manager(extra=["--node-monitor-grace-period=5s"]))
    cluster.restart("kube-controller-manager", cluster.controller_manager(without=["job-controller"]))
    cluster.run("second", cluster.controller_manager(only=["replicaset-controller"], extra=["--secure-port=0"]))
    cluster.run("mine", ["my-program", "--flag"])           # any program, watched, logged and stopped with the cluster

`Settings` has extra arguments for every component (`apiserver_args`, `controller_manager_args`, …), `native=True`, and
`operator=True` to run the operator as a process too. Start a cluster from the main thread (a session fixture is): its
processes are killed by the kernel when the thread that started them ends, so that nothing is left over.
"""

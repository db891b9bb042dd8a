#!/usr/bin/env bash
# A throw-away Slurm on the loopback address: two nodes with two GPUs each, none of them real.
#
#   LAB=FOLDER tests/slurm/cluster.sh up      starts it
#   eval "$(LAB=FOLDER tests/slurm/cluster.sh env)"
#   LAB=FOLDER tests/slurm/cluster.sh down    ends it, and every job of it
#   LAB=FOLDER tests/slurm/cluster.sh hold    starts it, and ends it once its input is closed
#
# Needs root and the packages munge slurmctld slurmd slurm-client. Everything lies in the folder LAB:
# nothing in /etc, no systemd, no control groups, a munge of its own. Several may run side by side.
set -euo pipefail

LAB=${LAB:-}
# The first of three ports in a row; left out: free ones are looked for.
PORT=${PORT:-}
MAX_ARRAY_SIZE=${MAX_ARRAY_SIZE:-8}
# The exit code that has Slurm start a job again; most sites have none (0).
REQUEUE_EXIT=${REQUEUE_EXIT:-0}
SLURMD_TIMEOUT=${SLURMD_TIMEOUT:-10}
KILL_WAIT=${KILL_WAIT:-5}
# Seconds for which a requeued job is held, two minutes on most sites: the life of a credential, which
# Slurm does not let be shorter than this.
REQUEUE_HOLD=${REQUEUE_HOLD:-5}
# Seconds between the word to a job that it is to give way, and its end.
GRACE_TIME=${GRACE_TIME:-0}
NODES=2 CPUS=4 GPUS=2

# Quotes keep a path with spaces whole everywhere but where a device is named; % and # mean something
# in paths; and the path of a socket has at most 107 characters, of which ours take up to 40.
expect_a_plain_folder() {
    case "$LAB" in *[!A-Za-z0-9/._-]*)
        echo "cluster.sh: Slurm cannot keep its files in '$LAB': letters, digits, . _ - only" >&2
        exit 2 ;;
    esac
    if [ "${#LAB}" -gt 64 ]; then
        echo "cluster.sh: '$LAB' is too long for the path of a socket" >&2
        exit 2
    fi
}

# Where daemons lie is not always where a user looks.
export PATH="$PATH:/usr/sbin:/sbin"
# What the caller's own cluster has set is not meant for this one.
for name in $(compgen -e | grep -E '^(SLURM|SBATCH|SQUEUE|SCANCEL|SINFO)_' || true); do unset "$name"; done

find_folder() {
    : "${LAB:?names the folder of the cluster}"
    mkdir -p "$LAB"
    LAB=$(cd "$LAB" && pwd -P)
    export SLURM_CONF="$LAB/slurm.conf"
}

up() {
    expect_a_plain_folder
    if [ -e "$SLURM_CONF" ]; then
        echo "cluster.sh: there is a cluster in '$LAB' already" >&2
        exit 2
    fi
    mkdir -p "$LAB"/{munge,state,log,spool}
    start_munge
    local try
    for try in 1 2 3 4 5; do
        BASE=${PORT:-$(free_ports)}
        configure
        if start_daemons; then
            echo "$BASE" >"$LAB/port"
            return 0
        fi
        # Another took the ports in between.
        end_daemons
        [ -z "$PORT" ] || break
    done
    echo "cluster.sh: Slurm did not come up" >&2
    tail -n 20 "$LAB"/log/*.log >&2
    end_munge
    exit 1
}

# Below the range that the kernel lends out. Two that start at once begin at different places.
free_ports() {
    local base try port
    for try in $(seq 100); do
        base=$((16000 + (RANDOM % 4000) * 4))
        for port in $(seq "$base" $((base + NODES))); do
            # Whoever answers has it.
            if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue 2; fi
        done
        echo "$base"
        return
    done
    echo "cluster.sh: no free ports" >&2
    exit 1
}

# --force: folders of tests are closed to other users, which munge would refuse.
start_munge() {
    head -c 1024 /dev/urandom >"$LAB/munge/key"
    chmod 400 "$LAB/munge/key"
    munged --force --socket="$LAB/munge/sock" --key-file="$LAB/munge/key" \
        --pid-file="$LAB/munge/munged.pid" --log-file="$LAB/log/munged.log" \
        --seed-file="$LAB/munge/seed" --num-threads=2 \
        </dev/null >"$LAB/log/munged.start.log" 2>&1
}

configure() {
    local host node gpu
    host=$(hostname -s)
    echo 'CgroupAutomount=no' >"$LAB/cgroup.conf"
    : >"$LAB/gres.conf"
    {
        cat <<CONF
ClusterName=lab
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$BASE
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$LAB/munge/sock,cred_expire=$REQUEUE_HOLD
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$LAB/log/jobcomp.log
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=100000,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=$KILL_WAIT
MinJobAge=600
MaxArraySize=$MAX_ARRAY_SIZE
SlurmctldTimeout=30
SlurmdTimeout=$SLURMD_TIMEOUT
StateSaveLocation=$LAB/state
SlurmdSpoolDir=$LAB/spool/%n
SlurmctldPidFile=$LAB/slurmctld.pid
SlurmdPidFile=$LAB/slurmd.%n.pid
SlurmctldLogFile=$LAB/log/slurmctld.log
SlurmdLogFile=$LAB/log/slurmd.%n.log
GresTypes=gpu
CONF
        [ "$REQUEUE_EXIT" = 0 ] || echo "RequeueExit=$REQUEUE_EXIT"
        for node in $(seq 0 $((NODES - 1))); do
            mkdir -p "$LAB/spool/n$node"
            for gpu in $(seq 0 $((GPUS - 1))); do
                # Where it is no device, a job is told of no GPU. This one is /dev/null.
                [ -e "$LAB/n${node}gpu$gpu" ] || mknod "$LAB/n${node}gpu$gpu" c 1 3
            done
            echo "NodeName=n$node Name=gpu Type=fake File=$LAB/n${node}gpu[0-$((GPUS - 1))]" >>"$LAB/gres.conf"
            echo "NodeName=n$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$((BASE + 1 + node))" \
                "CPUs=$CPUS RealMemory=2000 Gres=gpu:fake:$GPUS State=UNKNOWN"
        done
        echo "PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=$GRACE_TIME"
        echo "PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF"
    } >"$SLURM_CONF"
}

# None inherits what the caller reads or writes: a pipe would stay open as long as they live.
start_daemons() {
    local node try
    slurmctld -f "$SLURM_CONF" -i </dev/null >"$LAB/log/slurmctld.start.log" 2>&1 || return 1
    for node in $(seq 0 $((NODES - 1))); do
        slurmd -f "$SLURM_CONF" -N "n$node" </dev/null >"$LAB/log/slurmd.n$node.start.log" 2>&1 || return 1
    done
    for try in $(seq 150); do
        if [ "$(timeout 5 sinfo -h -p low -o '%T' 2>/dev/null)" = idle ]; then return 0; fi
        # One that finds its port taken says so and goes.
        [ "$try" -lt 20 ] || [ -e "$LAB/slurmctld.pid" ] || return 1
        sleep 0.1
    done
    return 1
}

# Whether that process is there, and still ours: numbers are used again.
lives() {
    grep -qs ') [^ZX] ' "/proc/$1/stat" && grep -qsx "$2" "/proc/$1/comm" && grep -qsaF "$LAB/" "/proc/$1/cmdline"
}

# By the file with its number, which it takes away before it is gone.
end() {
    local pid try
    pid=$(cat "$1" 2>/dev/null) || return 0
    lives "$pid" "$2" || return 0
    kill "$pid" 2>/dev/null || true
    for try in $(seq 50); do
        lives "$pid" "$2" || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
}

end_daemons() {
    local file
    end "$LAB/slurmctld.pid" slurmctld
    for file in "$LAB"/slurmd.*.pid; do end "$file" slurmd; done
}

end_munge() { end "$LAB/munge/munged.pid" munged; }

# Jobs of this cluster inherit the name of its configuration; with them the processes that watch over
# them. Also those that Slurm has lost sight of.
end_jobs() {
    local process
    for process in /proc/[0-9]*; do
        grep -qszxF "SLURM_CONF=$SLURM_CONF" "$process/environ" || continue
        if grep -qsz '^SLURM_JOB_ID=' "$process/environ" || grep -qsx slurmstepd "$process/comm"; then
            kill -9 "${process#/proc/}" 2>/dev/null || true
        fi
    done
}

# Jobs last, and at once: asked politely, one may take KillWait, and Slurm would start the next.
down() {
    [ -e "$SLURM_CONF" ] || return 0
    end_daemons
    end_jobs
    end_munge
    mv "$SLURM_CONF" "$SLURM_CONF.ended"
}

# What it takes, by name.
check() {
    local program missing=0
    for program in munged slurmctld slurmd sbatch squeue scancel scontrol sinfo; do
        command -v "$program" >/dev/null || { echo "cluster.sh: there is no $program" >&2; missing=1; }
    done
    [ "$(id -u)" = 0 ] || { echo "cluster.sh: only root can start it" >&2; missing=1; }
    return "$missing"
}

case "${1:-}" in
check)
    check
    exit
    ;;
up | down | env | hold) find_folder ;;
esac
case "${1:-}" in
up)
    up
    echo "slurm is up: export SLURM_CONF=$SLURM_CONF"
    ;;
down) down ;;
env) printf 'export SLURM_CONF=%q\n' "$SLURM_CONF" ;;
hold)
    trap down EXIT
    trap 'exit 1' TERM INT HUP
    up
    echo "slurm is up: export SLURM_CONF=$SLURM_CONF"
    # Until whoever asked for it is gone, however it went.
    while read -r _; do :; done
    ;;
*)
    echo "usage: LAB=FOLDER $0 check|up|down|env|hold" >&2
    exit 2
    ;;
esac

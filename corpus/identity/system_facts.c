/*
 * summary: uname, sysinfo, getrusage, affinity, priorities, getcpu and random bytes have their shapes and errnos
 * calls: uname sysinfo getrusage sched_getaffinity sched_setaffinity getpriority getrandom getcpu sched_yield
 */
#include "apus.h"
#include <sched.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void) {
    struct utsname name;
    struct sysinfo info;
    struct rusage usage;
    cpu_set_t set, back;
    must("uname", uname(&name));
    text("system", name.sysname);
    text("machine", name.machine);
    int major = 0, minor = 0;
    fact("the release starts with two numbers", sscanf(name.release, "%d.%d", &major, &minor) == 2 && major >= 4);
    fact("there is a host name", name.nodename[0] != 0);
    result("uname to a wild pointer", syscall(SYS_uname, WILD));
    must("sysinfo", sysinfo(&info));
    fact("memory: free is not more than all", info.totalram > 0 && info.freeram <= info.totalram && info.mem_unit > 0);
    fact("there are processes, and time has passed", info.procs > 0 && info.uptime >= 0);
    result("sysinfo to a wild pointer", syscall(SYS_sysinfo, WILD));

    for (volatile long i = 0; i < 30000000; i++) continue;
    must("getrusage", getrusage(RUSAGE_SELF, &usage));
    fact("processor time was used", usage.ru_utime.tv_sec * 1000000l + usage.ru_utime.tv_usec > 0);
    fact("the largest set is known", usage.ru_maxrss > 100);
    must("getrusage", getrusage(RUSAGE_CHILDREN, &usage));
    fact("no children, no time", usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec == 0);
    result("getrusage of a thread", getrusage(1, &usage));
    result("of nobody", getrusage((__typeof__(RUSAGE_SELF))7, &usage));
    result("to a wild pointer", syscall(SYS_getrusage, RUSAGE_SELF, WILD));

    must("sched_getaffinity", sched_getaffinity(0, sizeof set, &set));
    int count = CPU_COUNT(&set), first = 0;
    fact("there is a processor", count >= 1);
    while (!CPU_ISSET(first, &set)) first++;
    CPU_ZERO(&back);
    CPU_SET(first, &back);
    result("bound to the first of them", sched_setaffinity(0, sizeof back, &back));
    must("sched_getaffinity", sched_getaffinity(0, sizeof back, &back));
    number("processors now", CPU_COUNT(&back));
    unsigned cpu = 99, node = 99;
    must("getcpu", syscall(SYS_getcpu, &cpu, &node, NULL));
    fact("it runs there", (int)cpu == first);
    pid_t child = must("fork", fork());
    if (child == 0) {
        must("sched_getaffinity", sched_getaffinity(0, sizeof back, &back));
        _exit(CPU_COUNT(&back));
    }
    wait_status("a child inherits it", wait_for(child));
    result("back", sched_setaffinity(0, sizeof set, &set));
    CPU_ZERO(&back);
    result("an empty set", sched_setaffinity(0, sizeof back, &back));
    result("of nobody", sched_setaffinity(0x3fffffff, sizeof set, &set));
    result("a set of 4 bytes", syscall(SYS_sched_getaffinity, 0, 4, &set));
    result("to a wild pointer", syscall(SYS_sched_getaffinity, 0, sizeof set, WILD));
    result("sched_yield", sched_yield());

    unsigned char one[64] = {0}, two[64] = {0};
    result("getrandom", getrandom(one, sizeof one, 0));
    result("getrandom again", getrandom(two, sizeof two, GRND_NONBLOCK));
    fact("they differ", memcmp(one, two, sizeof one) != 0);
    result("no bytes", getrandom(one, 0, 0));
    result("an unknown flag", getrandom(one, 1, 0x100));
    result("both sources", getrandom(one, 1, GRND_RANDOM | 4));
    result("a wild pointer", syscall(SYS_getrandom, WILD, 16, 0));
    setpriority(PRIO_PROCESS, 0, 1);
    result("lower it", setpriority(PRIO_PROCESS, 0, 5));
    result("now", getpriority(PRIO_PROCESS, 0));
    result("beyond the end", setpriority(PRIO_PROCESS, 0, 100));
    result("is the end", getpriority(PRIO_PROCESS, 0));
    result("an unknown kind", getpriority((__typeof__(PRIO_PROCESS))9, 0));
    result("of nobody", getpriority(PRIO_PROCESS, 0x3fffffff));
    number("the raw call counts the other way", syscall(SYS_getpriority, PRIO_PROCESS, 0));
    result("the policy", syscall(SYS_sched_getscheduler, 0));
    return 0;
}

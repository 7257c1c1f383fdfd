/*
 * The sandbox of a viewer's process: it speaks to one socket, reads shared pictures, and waits for the monitor. It opens,
 * connects and starts nothing.
 */
#include "display/display_sandbox.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static const struct sandbox_permission PERMISSIONS[] = {
	SANDBOX_PERMIT(
	    accept4, "the monitor connects to the listening socket, again after a restart"),
	SANDBOX_PERMIT_ARG(
	    getsockopt, 2, SO_PEERCRED, "who connects to the control socket must be the monitor"),
	SANDBOX_PERMIT_ARG(setsockopt, 1, SOL_SOCKET, "keep-alive on the viewer's connection"),
	SANDBOX_PERMIT_ARG(
	    setsockopt, 1, IPPROTO_TCP, "no delay and time-outs on the viewer's connection"),
	SANDBOX_PERMIT(
	    getpeername, "libvncserver asks who its client is: its end of a socket pair"),
	SANDBOX_PERMIT(uname, "libvncserver asks for the host's name, as a title it never uses"),
	SANDBOX_PERMIT_ARG(
	    fcntl, 1, F_GET_SEALS, "a shared picture is mapped only if it cannot shrink"),
	SANDBOX_PERMIT(fstat, "sizes of the shared picture, the last frame and the certificate"),
	SANDBOX_PERMIT(newfstatat, "as fstat; the C library's fstat()"),
	SANDBOX_PERMIT(pread64, "the header of a last frame"),
};

struct sandbox_policy display_sandbox_policy(uid_t uid, gid_t gid)
{
	return (struct sandbox_policy){
		.process = "tanmatsu-display",
		.permissions = PERMISSIONS,
		.permission_count = sizeof(PERMISSIONS) / sizeof(PERMISSIONS[0]),
		.uid = uid,
		.gid = gid,
	};
}

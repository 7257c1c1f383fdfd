/* The files that a fresh desktop comes with: something to read, something to list. */
#include "ui/samples.h"

#include "lib/text.h"

static const struct {
	const char *name;
	const char *text;
} samples[] = {
	{ "haiku.txt", "An old silent pond...\n"
		       "A frog jumps into the pond,\n"
		       "splash! Silence again.\n"
		       "\n"
		       "    Matsuo Bash\xc5\x8d\n" },
	{ "keys.txt", "Alt+Tab         next window\n"
		      "Alt+F4          close the window\n"
		      "Ctrl+Alt+T      a new terminal\n"
		      "Super+Up/Down   maximise, restore, minimise\n"
		      "Ctrl+S          save (editor)\n"
		      "Ctrl+C          break the line (terminal)\n" },
	{ "todo.txt", "[x] log in\n[ ] walk away\n[ ] come back and find everything as it was\n" },
};

void samples_install(struct fs *fs, const char *user)
{
	char text[1024];
	size_t length;

	length = text_format(text, sizeof(text),
	    "Hello%s%s!\n"
	    "\n"
	    "This is your desktop. It runs in a virtual machine of its own\n"
	    "and lives on the host, not on the screen in front of you.\n"
	    "\n"
	    "Close the viewer whenever you like, even in the middle of a\n"
	    "sentence. The desktop is suspended, and the next time you log\n"
	    "in, from any terminal, it is back exactly as you left it.\n"
	    "\n"
	    "Type something here, walk away, and try it.\n"
	    "\n",
	    user[0] ? ", " : "", user);
	(void)!fs_write(fs, "welcome.txt", text, length);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		(void)!fs_write(fs, samples[i].name, samples[i].text, text_length(samples[i].text));
	}
}

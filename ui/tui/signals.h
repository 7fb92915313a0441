/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The signals of a process that has a terminal, as things to ask for between two looks at the keys. They
 * interrupt whatever it sleeps in. Those that would end it with a core dump give the terminal
 * back first.
 */
#ifndef IPCTAP_UI_TUI_SIGNALS_H
#define IPCTAP_UI_TUI_SIGNALS_H

#include <stdbool.h>

/* give_back is called in a handler. Handlers of before are put back by signals_release. */
void signals_catch(void (*give_back)(void));
void signals_release(void);

enum signal_kind {
	SIGNAL_NONE,
	SIGNAL_HUNG_UP,   /* SIGHUP: for good */
	SIGNAL_END,       /* SIGINT, SIGTERM, SIGQUIT */
	SIGNAL_STOP,      /* SIGTSTP: ^Z */
	SIGNAL_CONTINUED, /* SIGCONT */
};
enum signal_kind signals_take(void); /* one that came since, and has not been taken */
void signals_stop(void); /* stops the process, as SIGTSTP would have; returns when it goes on */
/* A key interrupts a sleep, too: SIGIO. False: this terminal does not tell. */
bool signals_tell_keys(void);

#endif

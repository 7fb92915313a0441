/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of ipctap. Each is one file, cmd_VERB.c, one row of the table in main.c and one man
 * page. A verb gets argv from its own name on and returns the exit status of the program.
 */
#ifndef IPCTAP_UI_CLI_VERB_H
#define IPCTAP_UI_CLI_VERB_H

#define IPCTAP_VERSION "0.1"

enum exit_status {
	EXIT_OK = 0,
	EXIT_NO = 1,    /* a question was asked, and the answer is no: doctor; deadlock found one */
	EXIT_USAGE = 2, /* what was typed makes no sense */
	EXIT_CANNOT =
	    3, /* it could not be done, or not to its end: permission, files, disk, kernel */
};

int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_deadlock(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif

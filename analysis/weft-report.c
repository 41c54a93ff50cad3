/* weft-report.c - the program; everything it does is in the other files of this folder */
#include <locale.h>

#include "analysis/report.h"

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");	/* file names and messages; numbers stay in the C locale */
	return report_command(argc, argv);
}

/* The shell's calculator: + - * / % ^ and parentheses over doubles, by recursive descent with
 * bounded depth. */
#include "apps/shell.h"

#include "lib/text.h"

#define MAX_DEPTH 32

struct parser {
	const char *at;
	const char *error;
	int depth;
};

static double parse_sum(struct parser *parser);

static char peek(struct parser *parser)
{
	while (*parser->at == ' ') {
		parser->at++;
	}
	return *parser->at;
}

static double parse_number(struct parser *parser)
{
	double value = 0.0;
	double place = 0.1;
	bool any = false;

	for (; *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
		value = value * 10.0 + (double)(*parser->at - '0');
		any = true;
	}
	if (*parser->at == '.') {
		for (parser->at++; *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
			value += place * (double)(*parser->at - '0');
			place *= 0.1;
			any = true;
		}
	}
	if (!any) {
		parser->error = "a number is missing";
	}
	return value;
}

static double parse_factor(struct parser *parser)
{
	double value;
	double power;
	double result = 1.0;
	char c = peek(parser);

	if (++parser->depth > MAX_DEPTH) {
		parser->error = "too deep";
		return 0.0;
	}
	if (c == '-' || c == '+') {
		parser->at++;
		value = parse_factor(parser);
		parser->depth--;
		return c == '-' ? -value : value;
	}
	if (c == '(') {
		parser->at++;
		value = parse_sum(parser);
		if (peek(parser) == ')') {
			parser->at++;
		} else if (!parser->error) {
			parser->error = "a ) is missing";
		}
	} else {
		value = parse_number(parser);
	}
	if (peek(parser) == '^') {
		parser->at++;
		power = parse_factor(parser);
		if (power < 0.0 || power > 1024.0 || power != (double)(int)power) {
			parser->error = "powers are whole numbers up to 1024";
			power = 0.0;
		}
		for (int i = 0; i < (int)power; i++) {
			result *= value;
		}
		value = result;
	}
	parser->depth--;
	return value;
}

static double parse_product(struct parser *parser)
{
	double value = parse_factor(parser);

	for (char c = peek(parser); !parser->error && (c == '*' || c == '/' || c == '%');
	     c = peek(parser)) {
		double right;

		parser->at++;
		right = parse_factor(parser);
		if (c == '*') {
			value *= right;
		} else if (right == 0.0) {
			parser->error = "division by zero";
		} else if (c == '/') {
			value /= right;
		} else if (value / right > -9e15 && value / right < 9e15) {
			value -= right * (double)(int64_t)(value / right);
		}
	}
	return value;
}

static double parse_sum(struct parser *parser)
{
	double value = parse_product(parser);

	for (char c = peek(parser); !parser->error && (c == '+' || c == '-'); c = peek(parser)) {
		double right;

		parser->at++;
		right = parse_product(parser);
		value = c == '+' ? value + right : value - right;
	}
	return value;
}

static void format_number(double value, char *result, size_t size)
{
	bool negative = value < 0.0;
	uint64_t millionths;
	size_t length;

	value = negative ? -value : value;
	if (!(value < 9e12)) {
		if (value < 1.8e19) {
			text_format(result, size, "%s%lu", negative ? "-" : "", (uint64_t)value);
		} else {
			text_copy(result, size, "a very large number");
		}
		return;
	}
	millionths = (uint64_t)(value * 1e6 + 0.5);
	length = text_format(result, size, "%s%lu.%06lu", negative && millionths ? "-" : "",
	    millionths / 1000000, millionths % 1000000);
	while (result[length - 1] == '0') {
		result[--length] = '\0';
	}
	if (result[length - 1] == '.') {
		result[length - 1] = '\0';
	}
}

bool calc_evaluate(const char *expression, char *result, size_t size)
{
	struct parser parser = { .at = expression };
	double value = parse_sum(&parser);

	if (!parser.error && peek(&parser)) {
		parser.error = "that is not an expression";
	}
	if (parser.error) {
		text_copy(result, size, parser.error);
		return false;
	}
	format_number(value, result, size);
	return true;
}

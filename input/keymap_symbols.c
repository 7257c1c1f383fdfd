/*
 * The tables behind keymap_symbols.h. Each is searched from the front; the first entry for a symbol
 * counts.
 */
#include "input/keymap_symbols.h"

#include <linux/input-event-codes.h>
#include <stddef.h>
#include <xkbcommon/xkbcommon-keysyms.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	uint32_t keysym;
	uint16_t code;
} FIXED[] = {
	{ XKB_KEY_Shift_L, KEY_LEFTSHIFT },
	{ XKB_KEY_Shift_R, KEY_RIGHTSHIFT },
	{ XKB_KEY_Control_L, KEY_LEFTCTRL },
	{ XKB_KEY_Control_R, KEY_RIGHTCTRL },
	{ XKB_KEY_Alt_L, KEY_LEFTALT },
	{ XKB_KEY_Alt_R, KEY_RIGHTALT },
	{ XKB_KEY_Meta_L, KEY_LEFTALT },
	{ XKB_KEY_Meta_R, KEY_RIGHTALT },
	{ XKB_KEY_Super_L, KEY_LEFTMETA },
	{ XKB_KEY_Super_R, KEY_RIGHTMETA },
	{ XKB_KEY_Hyper_L, KEY_LEFTMETA },
	{ XKB_KEY_Hyper_R, KEY_RIGHTMETA },
	{ XKB_KEY_Caps_Lock, KEY_CAPSLOCK },
	{ XKB_KEY_Num_Lock, KEY_NUMLOCK },
	{ XKB_KEY_Scroll_Lock, KEY_SCROLLLOCK },
	{ XKB_KEY_Print, KEY_SYSRQ },
	{ XKB_KEY_Sys_Req, KEY_SYSRQ },
	{ XKB_KEY_Pause, KEY_PAUSE },
	{ XKB_KEY_Break, KEY_PAUSE },
	{ XKB_KEY_Menu, KEY_COMPOSE },
	{ XKB_KEY_Multi_key, KEY_COMPOSE },
	{ XKB_KEY_Linefeed, KEY_LINEFEED },
	{ XKB_KEY_KP_Add, KEY_KPPLUS },
	{ XKB_KEY_KP_Subtract, KEY_KPMINUS },
	{ XKB_KEY_KP_Multiply, KEY_KPASTERISK },
	{ XKB_KEY_KP_Divide, KEY_KPSLASH },
	{ XKB_KEY_KP_Enter, KEY_KPENTER },
	{ XKB_KEY_KP_Equal, KEY_KPEQUAL },
	{ XKB_KEY_XF86Next_VMode, KEY_KPPLUS },
	{ XKB_KEY_XF86Prev_VMode, KEY_KPMINUS },
	{ XKB_KEY_XF86ClearGrab, KEY_KPASTERISK },
	{ XKB_KEY_XF86Ungrab, KEY_KPSLASH },
	{ XKB_KEY_KP_Begin, KEY_KP5 },
	/* A Japanese keyboard's */
	{ XKB_KEY_Zenkaku_Hankaku, KEY_GRAVE },
	{ XKB_KEY_Zenkaku, KEY_GRAVE },
	{ XKB_KEY_Hankaku, KEY_GRAVE },
	{ XKB_KEY_Kanji, KEY_GRAVE },
	{ XKB_KEY_Henkan, KEY_HENKAN },
	{ XKB_KEY_Muhenkan, KEY_MUHENKAN },
	{ XKB_KEY_Hiragana_Katakana, KEY_KATAKANAHIRAGANA },
	{ XKB_KEY_Hiragana, KEY_KATAKANAHIRAGANA },
	{ XKB_KEY_Katakana, KEY_KATAKANAHIRAGANA },
	{ XKB_KEY_Romaji, KEY_KATAKANAHIRAGANA },
	{ XKB_KEY_Eisu_toggle, KEY_CAPSLOCK },
	{ XKB_KEY_Eisu_Shift, KEY_CAPSLOCK },
	/* A Korean keyboard's */
	{ XKB_KEY_Hangul, KEY_HANGEUL },
	{ XKB_KEY_Hangul_Hanja, KEY_HANJA },
};

static const struct {
	uint32_t keysym;
	uint32_t same;
} SUBSTITUTES[] = {
	{ XKB_KEY_KP_0, XKB_KEY_0 },
	{ XKB_KEY_KP_1, XKB_KEY_1 },
	{ XKB_KEY_KP_2, XKB_KEY_2 },
	{ XKB_KEY_KP_3, XKB_KEY_3 },
	{ XKB_KEY_KP_4, XKB_KEY_4 },
	{ XKB_KEY_KP_5, XKB_KEY_5 },
	{ XKB_KEY_KP_6, XKB_KEY_6 },
	{ XKB_KEY_KP_7, XKB_KEY_7 },
	{ XKB_KEY_KP_8, XKB_KEY_8 },
	{ XKB_KEY_KP_9, XKB_KEY_9 },
	{ XKB_KEY_KP_Decimal, XKB_KEY_period },
	{ XKB_KEY_KP_Separator, XKB_KEY_comma },
	{ XKB_KEY_KP_Space, XKB_KEY_space },
	{ XKB_KEY_KP_Tab, XKB_KEY_Tab },
	{ XKB_KEY_KP_Home, XKB_KEY_Home },
	{ XKB_KEY_KP_Left, XKB_KEY_Left },
	{ XKB_KEY_KP_Up, XKB_KEY_Up },
	{ XKB_KEY_KP_Right, XKB_KEY_Right },
	{ XKB_KEY_KP_Down, XKB_KEY_Down },
	{ XKB_KEY_KP_Page_Up, XKB_KEY_Page_Up },
	{ XKB_KEY_KP_Page_Down, XKB_KEY_Page_Down },
	{ XKB_KEY_KP_End, XKB_KEY_End },
	{ XKB_KEY_KP_Insert, XKB_KEY_Insert },
	{ XKB_KEY_KP_Delete, XKB_KEY_Delete },
	{ XKB_KEY_Mode_switch, XKB_KEY_ISO_Level3_Shift },
	{ XKB_KEY_ISO_Enter, XKB_KEY_Return },
	/* What an X server's own layout makes of Control, Alt and a key; the guest wants the key. */
	{ XKB_KEY_XF86Switch_VT_1, XKB_KEY_F1 },
	{ XKB_KEY_XF86Switch_VT_2, XKB_KEY_F2 },
	{ XKB_KEY_XF86Switch_VT_3, XKB_KEY_F3 },
	{ XKB_KEY_XF86Switch_VT_4, XKB_KEY_F4 },
	{ XKB_KEY_XF86Switch_VT_5, XKB_KEY_F5 },
	{ XKB_KEY_XF86Switch_VT_6, XKB_KEY_F6 },
	{ XKB_KEY_XF86Switch_VT_7, XKB_KEY_F7 },
	{ XKB_KEY_XF86Switch_VT_8, XKB_KEY_F8 },
	{ XKB_KEY_XF86Switch_VT_9, XKB_KEY_F9 },
	{ XKB_KEY_XF86Switch_VT_10, XKB_KEY_F10 },
	{ XKB_KEY_XF86Switch_VT_11, XKB_KEY_F11 },
	{ XKB_KEY_XF86Switch_VT_12, XKB_KEY_F12 },
	/* On a Japanese keyboard the yen sign and the backslash are one character. */
	{ XKB_KEY_yen, XKB_KEY_backslash },
};

/* Several symbols may stand for one dead key; from_dead() gives the first. */
static const struct {
	uint32_t dead;
	uint32_t symbol;
} DEAD[] = {
	{ XKB_KEY_dead_grave, XKB_KEY_grave },
	{ XKB_KEY_dead_acute, XKB_KEY_acute },
	{ XKB_KEY_dead_acute, XKB_KEY_apostrophe },
	{ XKB_KEY_dead_circumflex, XKB_KEY_asciicircum },
	{ XKB_KEY_dead_tilde, XKB_KEY_asciitilde },
	{ XKB_KEY_dead_macron, XKB_KEY_macron },
	{ XKB_KEY_dead_breve, XKB_KEY_breve },
	{ XKB_KEY_dead_abovedot, XKB_KEY_abovedot },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_diaeresis },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_quotedbl },
	{ XKB_KEY_dead_abovering, XKB_KEY_degree },
	{ XKB_KEY_dead_doubleacute, XKB_KEY_doubleacute },
	{ XKB_KEY_dead_caron, XKB_KEY_caron },
	{ XKB_KEY_dead_cedilla, XKB_KEY_cedilla },
	{ XKB_KEY_dead_ogonek, XKB_KEY_ogonek },
};

/* Lower and upper case of each accented letter, by accent. Letters of ISO 8859-1, -2 and -15. */
static const struct {
	uint32_t dead;
	uint32_t keysym;
	uint32_t base;
} COMPOSED[] = {
	{ XKB_KEY_dead_grave, XKB_KEY_agrave, XKB_KEY_a },
	{ XKB_KEY_dead_grave, XKB_KEY_Agrave, XKB_KEY_A },
	{ XKB_KEY_dead_grave, XKB_KEY_egrave, XKB_KEY_e },
	{ XKB_KEY_dead_grave, XKB_KEY_Egrave, XKB_KEY_E },
	{ XKB_KEY_dead_grave, XKB_KEY_igrave, XKB_KEY_i },
	{ XKB_KEY_dead_grave, XKB_KEY_Igrave, XKB_KEY_I },
	{ XKB_KEY_dead_grave, XKB_KEY_ograve, XKB_KEY_o },
	{ XKB_KEY_dead_grave, XKB_KEY_Ograve, XKB_KEY_O },
	{ XKB_KEY_dead_grave, XKB_KEY_ugrave, XKB_KEY_u },
	{ XKB_KEY_dead_grave, XKB_KEY_Ugrave, XKB_KEY_U },
	{ XKB_KEY_dead_acute, XKB_KEY_aacute, XKB_KEY_a },
	{ XKB_KEY_dead_acute, XKB_KEY_Aacute, XKB_KEY_A },
	{ XKB_KEY_dead_acute, XKB_KEY_eacute, XKB_KEY_e },
	{ XKB_KEY_dead_acute, XKB_KEY_Eacute, XKB_KEY_E },
	{ XKB_KEY_dead_acute, XKB_KEY_iacute, XKB_KEY_i },
	{ XKB_KEY_dead_acute, XKB_KEY_Iacute, XKB_KEY_I },
	{ XKB_KEY_dead_acute, XKB_KEY_oacute, XKB_KEY_o },
	{ XKB_KEY_dead_acute, XKB_KEY_Oacute, XKB_KEY_O },
	{ XKB_KEY_dead_acute, XKB_KEY_uacute, XKB_KEY_u },
	{ XKB_KEY_dead_acute, XKB_KEY_Uacute, XKB_KEY_U },
	{ XKB_KEY_dead_acute, XKB_KEY_yacute, XKB_KEY_y },
	{ XKB_KEY_dead_acute, XKB_KEY_Yacute, XKB_KEY_Y },
	{ XKB_KEY_dead_acute, XKB_KEY_cacute, XKB_KEY_c },
	{ XKB_KEY_dead_acute, XKB_KEY_Cacute, XKB_KEY_C },
	{ XKB_KEY_dead_acute, XKB_KEY_nacute, XKB_KEY_n },
	{ XKB_KEY_dead_acute, XKB_KEY_Nacute, XKB_KEY_N },
	{ XKB_KEY_dead_acute, XKB_KEY_sacute, XKB_KEY_s },
	{ XKB_KEY_dead_acute, XKB_KEY_Sacute, XKB_KEY_S },
	{ XKB_KEY_dead_acute, XKB_KEY_zacute, XKB_KEY_z },
	{ XKB_KEY_dead_acute, XKB_KEY_Zacute, XKB_KEY_Z },
	{ XKB_KEY_dead_circumflex, XKB_KEY_acircumflex, XKB_KEY_a },
	{ XKB_KEY_dead_circumflex, XKB_KEY_Acircumflex, XKB_KEY_A },
	{ XKB_KEY_dead_circumflex, XKB_KEY_ecircumflex, XKB_KEY_e },
	{ XKB_KEY_dead_circumflex, XKB_KEY_Ecircumflex, XKB_KEY_E },
	{ XKB_KEY_dead_circumflex, XKB_KEY_icircumflex, XKB_KEY_i },
	{ XKB_KEY_dead_circumflex, XKB_KEY_Icircumflex, XKB_KEY_I },
	{ XKB_KEY_dead_circumflex, XKB_KEY_ocircumflex, XKB_KEY_o },
	{ XKB_KEY_dead_circumflex, XKB_KEY_Ocircumflex, XKB_KEY_O },
	{ XKB_KEY_dead_circumflex, XKB_KEY_ucircumflex, XKB_KEY_u },
	{ XKB_KEY_dead_circumflex, XKB_KEY_Ucircumflex, XKB_KEY_U },
	{ XKB_KEY_dead_tilde, XKB_KEY_atilde, XKB_KEY_a },
	{ XKB_KEY_dead_tilde, XKB_KEY_Atilde, XKB_KEY_A },
	{ XKB_KEY_dead_tilde, XKB_KEY_ntilde, XKB_KEY_n },
	{ XKB_KEY_dead_tilde, XKB_KEY_Ntilde, XKB_KEY_N },
	{ XKB_KEY_dead_tilde, XKB_KEY_otilde, XKB_KEY_o },
	{ XKB_KEY_dead_tilde, XKB_KEY_Otilde, XKB_KEY_O },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_adiaeresis, XKB_KEY_a },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_Adiaeresis, XKB_KEY_A },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_ediaeresis, XKB_KEY_e },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_Ediaeresis, XKB_KEY_E },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_idiaeresis, XKB_KEY_i },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_Idiaeresis, XKB_KEY_I },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_odiaeresis, XKB_KEY_o },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_Odiaeresis, XKB_KEY_O },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_udiaeresis, XKB_KEY_u },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_Udiaeresis, XKB_KEY_U },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_ydiaeresis, XKB_KEY_y },
	{ XKB_KEY_dead_diaeresis, XKB_KEY_Ydiaeresis, XKB_KEY_Y },
	{ XKB_KEY_dead_abovering, XKB_KEY_aring, XKB_KEY_a },
	{ XKB_KEY_dead_abovering, XKB_KEY_Aring, XKB_KEY_A },
	{ XKB_KEY_dead_abovering, XKB_KEY_uring, XKB_KEY_u },
	{ XKB_KEY_dead_abovering, XKB_KEY_Uring, XKB_KEY_U },
	{ XKB_KEY_dead_cedilla, XKB_KEY_ccedilla, XKB_KEY_c },
	{ XKB_KEY_dead_cedilla, XKB_KEY_Ccedilla, XKB_KEY_C },
	{ XKB_KEY_dead_caron, XKB_KEY_scaron, XKB_KEY_s },
	{ XKB_KEY_dead_caron, XKB_KEY_Scaron, XKB_KEY_S },
	{ XKB_KEY_dead_caron, XKB_KEY_zcaron, XKB_KEY_z },
	{ XKB_KEY_dead_caron, XKB_KEY_Zcaron, XKB_KEY_Z },
	{ XKB_KEY_dead_caron, XKB_KEY_ccaron, XKB_KEY_c },
	{ XKB_KEY_dead_caron, XKB_KEY_Ccaron, XKB_KEY_C },
	{ XKB_KEY_dead_caron, XKB_KEY_rcaron, XKB_KEY_r },
	{ XKB_KEY_dead_caron, XKB_KEY_Rcaron, XKB_KEY_R },
	{ XKB_KEY_dead_caron, XKB_KEY_ecaron, XKB_KEY_e },
	{ XKB_KEY_dead_caron, XKB_KEY_Ecaron, XKB_KEY_E },
};

uint16_t keymap_symbol_fixed_code(uint32_t keysym)
{
	for (size_t i = 0; i < COUNT(FIXED); i++) {
		if (FIXED[i].keysym == keysym) {
			return FIXED[i].code;
		}
	}
	return 0;
}

uint32_t keymap_symbol_substitute(uint32_t keysym)
{
	for (size_t i = 0; i < COUNT(SUBSTITUTES); i++) {
		if (SUBSTITUTES[i].keysym == keysym) {
			return SUBSTITUTES[i].same;
		}
	}
	return 0;
}

bool keymap_symbol_is_dead(uint32_t keysym)
{
	return keysym >= XKB_KEY_dead_grave && keysym <= XKB_KEY_dead_longsolidusoverlay;
}

uint32_t keymap_symbol_from_dead(uint32_t dead)
{
	for (size_t i = 0; i < COUNT(DEAD); i++) {
		if (DEAD[i].dead == dead) {
			return DEAD[i].symbol;
		}
	}
	return 0;
}

uint32_t keymap_symbol_to_dead(uint32_t keysym)
{
	for (size_t i = 0; i < COUNT(DEAD); i++) {
		if (DEAD[i].symbol == keysym) {
			return DEAD[i].dead;
		}
	}
	return 0;
}

bool keymap_symbol_decompose(uint32_t keysym, uint32_t *dead, uint32_t *base)
{
	for (size_t i = 0; i < COUNT(COMPOSED); i++) {
		if (COMPOSED[i].keysym == keysym) {
			*dead = COMPOSED[i].dead;
			*base = COMPOSED[i].base;
			return true;
		}
	}
	return false;
}

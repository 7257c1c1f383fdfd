/*
 * The desktop's colours, fonts and distances in one place, so that every part looks like one piece.
 * Fonts are generated at build time by tools/mkfont (see guest/CMakeLists.txt).
 */
#pragma once

#include "base/font.h"

extern const struct font_face font_ui;      /* 13 px proportional */
extern const struct font_face font_bold;    /* 13 px bold */
extern const struct font_face font_small;   /* 11 px */
extern const struct font_face font_title;   /* 18 px bold */
extern const struct font_face font_display; /* 34 px, for the greeting */
extern const struct font_face font_mono;    /* 14 px fixed width, cells of 8 pixels */
extern const struct font_face font_mono_bold;

/* Spacing, pixels. */
#define THEME_GAP           8
#define THEME_PAD           12
#define THEME_WINDOW_RADIUS 10
#define THEME_TITLE_HEIGHT  36
#define THEME_PANEL_HEIGHT  48
#define THEME_RESIZE_EDGE   6

/* Light surfaces. */
#define THEME_PAPER        0xffffff
#define THEME_SURFACE      0xf6f7f9
#define THEME_SURFACE_ALT  0xeceef2
#define THEME_LINE         0xdcdfe5
#define THEME_TEXT         0x232733
#define THEME_TEXT_DIM     0x737a8a
#define THEME_TITLE_ACTIVE 0xf0f1f4
#define THEME_TITLE_IDLE   0xf8f9fa

/* Dark surfaces: panel, terminal, overlays. */
#define THEME_DARK      0x171b26
#define THEME_DARK_ALT  0x252b3a
#define THEME_DARK_TEXT 0xe6e9f0
#define THEME_DARK_DIM  0x98a1b5

/* Accents. */
#define THEME_ACCENT 0x3d6fe0
#define THEME_SELECT 0xcfdcfa
#define THEME_GREEN  0x3fa66a
#define THEME_AMBER  0xe0a03a
#define THEME_RED    0xd9534f
#define THEME_VIOLET 0x8a63d2
#define THEME_TEAL   0x2a9d9a

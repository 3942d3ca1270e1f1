/* SPDX-License-Identifier: MIT */
/*
 * What is done to one item. A file of its own, so that no subject's compiler
 * can inline or vectorise it.
 */
#include "map/map.h"

/* Divisions, because their throughput differs little between machines. */
double
map_light(double x)
{
    return (x + 1.5) / (x + 2.0) + x / (x + 3.0);
}

double
map_heavy(double x)
{
    double y = x + 1.0;

    for (int i = 0; i < 16; i++)
        y = 1.0 + x / y;
    return y;
}

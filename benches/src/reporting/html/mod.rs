//! A report as one HTML file that needs nothing else: tables that sort, plots that say their figures, filters.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Result;

use super::data::{Data, Machine};
use super::format::{html, letter};
use super::markdown::facts;
use super::plots;
use super::plots::plot::Plot;
use super::table::{Cell, Column, LEGEND, Row, Table};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
///
/// # Errors
/// A plot could not be drawn.
pub(super) fn page(data: &Data, tables: &[Table], plots: &[Plot]) -> Result<String> {
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Measurements of bt-run</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>Measurements of bt-run</h1>\n"
    );
    text.push_str(&machines(data));
    for warning in &data.warnings {
        let _ = writeln!(text, "<p class=\"warning\">{}</p>", html(warning));
    }
    if data.suites.is_empty() {
        text.push_str("<p>No rows.</p>\n");
    } else {
        let _ = writeln!(text, "<p class=\"legend\">{}</p>", html(LEGEND));
        text.push_str(&filters(data));
    }
    for suite in &data.suites {
        let name = html(&suite.name);
        let _ = writeln!(text, "<section data-suite=\"{name}\">\n<h2 id=\"suite-{name}\">{name}</h2>");
        for table in tables.iter().filter(|table| table.suite == suite.name) {
            text.push_str(&section(table));
        }
        for plot in plots.iter().filter(|plot| plot.suite == suite.name) {
            let _ = writeln!(
                text,
                "<figure id=\"plot-{}\" aria-label=\"{}\">\n{}</figure>",
                plot.id,
                html(&plot.title),
                plots::svg(plot)?
            );
        }
        text.push_str("</section>\n");
    }
    let _ =
        write!(text, "<div id=\"tip\" role=\"tooltip\" hidden></div>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    Ok(text)
}

fn machines(data: &Data) -> String {
    let mut text = String::new();
    for machine in data.machines() {
        let Machine { host, date, .. } = &machine;
        let place = if host.hypervisor { "virtual machine" } else { "bare metal" };
        let summary = format!("{} × {}, {place}, Linux {}, {date}", host.cpus, host.cpu, host.kernel);
        let _ = writeln!(text, "<details>\n<summary>{}</summary>\n<dl>", html(&summary));
        for (name, value) in facts(&machine).into_iter().filter(|(_, value)| !value.is_empty()) {
            let _ = writeln!(text, "<dt>{name}</dt><dd>{}</dd>", html(&value));
        }
        text.push_str("</dl>\n</details>\n");
    }
    text
}

fn filters(data: &Data) -> String {
    let suites: Vec<&str> = data.suites.iter().map(|suite| suite.name.as_str()).collect();
    let mut seen = BTreeSet::new();
    let mut ways: Vec<&str> = Vec::new();
    for way in data.suites.iter().flat_map(|suite| &suite.ways) {
        if seen.insert(way) {
            ways.push(way);
        }
    }
    let mut text = String::from("<form class=\"filters\" autocomplete=\"off\" aria-label=\"What is shown\">\n");
    for (kind, title, names) in [("suite", "suites", suites), ("way", "ways", ways)] {
        let _ = writeln!(text, "<fieldset><legend>{title}</legend>");
        for name in names {
            let name = html(name);
            let _ = writeln!(
                text,
                "<label title=\"Double click: this one alone, or all\"><input type=\"checkbox\" data-filter=\"{kind}\" value=\"{name}\" checked>{name}</label>"
            );
        }
        text.push_str("</fieldset>\n");
    }
    text.push_str("</form>\n");
    text
}

fn section(table: &Table) -> String {
    let mut text = format!(
        "<h3 id=\"table-{}\">{}</h3>\n<p class=\"caption\">{}</p>\n<div class=\"scroll\">\n<table>\n<thead><tr>",
        table.id,
        html(&table.title),
        html(&table.caption)
    );
    for column in &table.columns {
        let _ = write!(
            text,
            "<th tabindex=\"0\" scope=\"col\"{}{}>{}</th>",
            class(column.numeric, &[]),
            way(column.way.as_deref()),
            html(&column.title)
        );
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for (index, row) in table.rows.iter().enumerate() {
        if let Some(section) = &row.section {
            if index > 0 {
                text.push_str("</tbody>\n<tbody>\n");
            }
            let _ = writeln!(
                text,
                "<tr class=\"section\"><th colspan=\"{}\">{}</th></tr>",
                table.columns.len(),
                html(section)
            );
        }
        text.push_str(&line(row, &table.columns, table));
    }
    text.push_str("</tbody>\n</table>\n</div>\n");
    if !table.notes.is_empty() {
        text.push_str("<ol class=\"notes\">\n");
        for note in &table.notes {
            let _ = writeln!(text, "<li>{}</li>", html(note));
        }
        text.push_str("</ol>\n");
    }
    text
}

fn line(row: &Row, columns: &[Column], table: &Table) -> String {
    let mut text = format!("<tr{}>", way(row.way.as_deref()));
    for (cell, column) in row.cells.iter().zip(columns) {
        let _ = write!(text, "{}", data_cell(cell, column, table));
    }
    text.push_str("</tr>\n");
    text
}

fn data_cell(cell: &Cell, column: &Column, table: &Table) -> String {
    let mut classes = Vec::new();
    match cell.sign {
        "▲" => classes.push("better"),
        "▼" => classes.push("worse"),
        _ => {}
    }
    if column.numeric && cell.value.is_none() {
        classes.push("absent");
    }
    let mut text = format!("<td{}{}", class(column.numeric, &classes), way(column.way.as_deref()));
    if let Some(value) = cell.value {
        let _ = write!(text, " data-value=\"{value}\"");
    }
    if let Some(key) = &cell.key {
        let _ = write!(text, " data-key=\"{}\"", html(key));
    }
    let _ = write!(text, ">{}", html(&cell.marked()));
    if let Some(note) = cell.note {
        let reason = table.notes.get(note).map_or("", String::as_str);
        let _ = write!(text, "<sup data-tip=\"{}\">{}</sup>", html(reason), letter(note));
    }
    text.push_str("</td>");
    text
}

fn class(numeric: bool, classes: &[&str]) -> String {
    let all: Vec<&str> = numeric.then_some("number").into_iter().chain(classes.iter().copied()).collect();
    if all.is_empty() { String::new() } else { format!(" class=\"{}\"", all.join(" ")) }
}

fn way(way: Option<&str>) -> String {
    way.map_or_else(String::new, |way| format!(" data-way=\"{}\"", html(way)))
}

#[cfg(test)]
mod tests;

//! The table.

use super::budget;
use super::programs::{CROWD, KERNEL, PLUGIN, REFERENCE};
use super::sample::{Case, Condition, Crowd, Spread};

const HEAD: &str = "
                            cni-opencontrail                                  bare kernel work   ptp + host-local
       networks     delay   wall ms (least-most)   CPU ms  MiB  requests  depth   wall ms      x     wall ms      x   budget";

/// What follows the table.
const LEGEND: &str = "
Times and memory are medians. requests: to the configuration API + to the agent; depth: the longest chain
of the former. x: the plugin's time in terms of the other program's. fwd: the lab forwards packets, and its
agent answers when they flow; elsewhere it answers at once, as a real one does. Budgets of times are for
the rows without either delay.
";

/// All results below what was compared.
pub fn table(versions: &str, cases: &[Case], crowds: &[Crowd]) -> String {
    let mut lines = vec![versions.to_owned(), HEAD.to_owned()];
    lines.extend(cases.iter().map(of_case));
    lines.extend(crowds.iter().map(of_crowd));
    lines.push(String::new());
    for (program, name) in [
        (KERNEL, "bare kernel work"),
        (REFERENCE, "ptp + host-local"),
    ] {
        lines.extend(others(cases, program, name));
    }
    lines.push(LEGEND.to_owned());
    lines.join("\n")
}

fn of_case(case: &Case) -> String {
    let wall = case.wall(PLUGIN);
    let median = |spread: Option<Spread>| number(spread.map(|s| s.median));
    let requests = format!("{}+{}", case.requests.api, case.requests.agent);
    format!(
        "{:<6} {:>8} {:>9}   {:>20}   {:>6} {:>4}  {:>8}  {:>5}   {}   {}",
        case.operation.name(),
        case.condition.networks,
        delay(case.condition),
        spread(wall),
        median(case.cpu(PLUGIN)),
        median(case.rss(PLUGIN)),
        requests,
        case.requests.depth,
        beside(wall, [case.wall(KERNEL), case.wall(REFERENCE)]),
        budget::of_case(case),
    )
}

fn of_crowd(crowd: &Crowd) -> String {
    let wall = crowd.wall(PLUGIN);
    format!(
        "{CROWD} {} {:>8} {:>9}   {:>20}   {:>6} {:>4}  {:>8}  {:>5}   {}   {}",
        crowd.operation.name(),
        crowd.condition.networks,
        delay(crowd.condition),
        spread(wall),
        "",
        "",
        "",
        "",
        beside(wall, [crowd.wall(KERNEL), crowd.wall(REFERENCE)]),
        budget::of_crowd(crowd),
    )
}

/// A program that does not talk to the services, over all conditions.
fn others(cases: &[Case], program: usize, name: &str) -> Vec<String> {
    let of = |case: &Case| {
        let [wall, cpu, rss] = [case.wall(program)?, case.cpu(program)?, case.rss(program)?];
        Some(format!(
            "{:<6} {name:<18}   {:>20}   {:>6} {:>4}",
            case.operation.name(),
            spread(Some(wall)),
            number(Some(cpu.median)),
            number(Some(rss.median)),
        ))
    };
    // The first two: both operations under the first condition.
    cases.iter().take(2).filter_map(of).collect()
}

/// The times of the others, and the plugin's in terms of them.
fn beside(wall: Option<Spread>, others: [Option<Spread>; 2]) -> String {
    let columns = others.map(|other| {
        let ratio = budget::ratio(wall, other).map_or("-".to_owned(), |r| format!("{r:.2}"));
        format!("{:>7} {ratio:>6}", number(other.map(|s| s.median)))
    });
    columns.join("     ")
}

fn delay(condition: Condition) -> String {
    match condition.forwarding {
        true => "fwd".to_owned(),
        false => format!("{} ms", condition.delay),
    }
}

fn spread(spread: Option<Spread>) -> String {
    spread.map_or("-".to_owned(), |s| {
        format!("{:.1} ({:.1}-{:.1})", s.median, s.least, s.most)
    })
}

fn number(number: Option<f64>) -> String {
    number.map_or("-".to_owned(), |n| format!("{n:.1}"))
}

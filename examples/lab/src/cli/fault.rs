//! `contrail-lab fault`: makes services misbehave on purpose.

use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::Result;
use super::options::{Shown, Which};
use super::print::{print, print_json};
use super::table::{list, table};
use crate::faults::{Action, Rule, StatusAnswer};
use crate::harm::Harm;
use crate::http::ServiceName;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: FaultCommand,
}

#[derive(Debug, Subcommand)]
enum FaultCommand {
    /// Add a fault after the others.
    Add(Box<Add>),
    /// Show the faults and how often each has hit.
    List(Shown),
    /// Remove all faults.
    Clear(Which),
}

#[derive(Debug, clap::Args)]
struct Add {
    #[command(flatten)]
    lab: Which,
    /// The service that misbehaves.
    service: Service,
    /// What happens: refuse, hang, delay=MILLISECONDS, status=CODE[:BODY], drop-before, drop-after,
    /// truncate, garbage, content-type=TYPE, forget (answers with success and does nothing), swallow
    /// (does it and never answers), overlap=MILLISECONDS (begins at once and answers later, as a
    /// busy server does), trickle=MILLISECONDS (sends the answer byte by byte), close
    /// (closes the connection after the answer, unannounced) or harm=KIND (answers to do harm: flood,
    /// crowd, swell, depth, numbers, types, texts, refusal, redirect, packed).
    #[arg(value_parser = action)]
    action: Action,
    /// Only requests with this method.
    #[arg(long)]
    method: Option<String>,
    /// Only requests for this path or below it; `*` matches any characters.
    #[arg(long)]
    path: Option<String>,
    /// How many matching requests pass first.
    #[arg(long, default_value_t = 0)]
    skip: u32,
    /// How many requests are hit [default: all].
    #[arg(long)]
    count: Option<u32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Service {
    ConfigApi,
    Keystone,
    Agent,
}

impl From<Service> for ServiceName {
    fn from(service: Service) -> Self {
        match service {
            Service::ConfigApi => ServiceName::ConfigApi,
            Service::Keystone => ServiceName::Keystone,
            Service::Agent => ServiceName::Agent,
        }
    }
}

/// What the control endpoint lists.
#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    faults: Vec<Progress>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Progress {
    rule: Rule,
    seen: u32,
    hit: u32,
}

/// Adds, lists or removes faults of a running lab.
///
/// # Errors
/// When no lab of this name runs or it does not answer.
pub fn run(options: Options) -> Result<()> {
    match options.command {
        FaultCommand::Add(add) => {
            let client = Client::of(&add.lab)?;
            client.post("/faults", &rule(*add))
        }
        FaultCommand::List(shown) => {
            let listed: Listed = Client::of(&shown.lab)?.get("/faults")?;
            if shown.json {
                print_json(&listed)
            } else {
                let rows: Vec<Vec<String>> = listed.faults.iter().map(row).collect();
                let heading = [
                    "SERVICE", "METHOD", "PATH", "SKIP", "COUNT", "SEEN", "HIT", "ACTION",
                ];
                print(&table(&heading, &rows))
            }
        }
        FaultCommand::Clear(which) => Client::of(&which)?.delete("/faults"),
    }
}

fn rule(add: Add) -> Rule {
    Rule {
        service: add.service.into(),
        method: add.method.map(|method| method.to_ascii_uppercase()),
        path: add.path,
        skip: add.skip,
        count: add.count,
        action: add.action,
    }
}

fn row(progress: &Progress) -> Vec<String> {
    let rule = &progress.rule;
    vec![
        rule.service.to_string(),
        list(&rule.method),
        list(&rule.path),
        rule.skip.to_string(),
        list(rule.count),
        progress.seen.to_string(),
        progress.hit.to_string(),
        typed(&rule.action),
    ]
}

/// An action as it is typed.
fn typed(action: &Action) -> String {
    let name = match action {
        Action::Refuse => "refuse",
        Action::Hang => "hang",
        Action::DropBefore => "drop-before",
        Action::DropAfter => "drop-after",
        Action::Truncate => "truncate",
        Action::Garbage => "garbage",
        Action::Forget => "forget",
        Action::Swallow => "swallow",
        Action::Close => "close",
        Action::Delay(milliseconds) => return format!("delay={milliseconds}"),
        Action::Overlap(milliseconds) => return format!("overlap={milliseconds}"),
        Action::Trickle(milliseconds) => return format!("trickle={milliseconds}"),
        Action::Harm(harm) => return format!("harm={}", harm.name()),
        Action::ContentType(value) => return format!("content-type={value}"),
        Action::Status(answer) if answer.body.is_empty() => {
            return format!("status={}", answer.code);
        }
        Action::Status(answer) => return format!("status={}:{}", answer.code, answer.body),
    };
    name.to_owned()
}

/// Reads an action as it is typed. The parser of the command line says which value is wrong.
fn action(text: &str) -> std::result::Result<Action, &'static str> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let simple = |action: Action| match value {
        None => Ok(action),
        Some(_) => Err("it takes no value"),
    };
    let milliseconds = |expected| {
        let number = value.and_then(|value| value.parse().ok());
        number.ok_or(expected)
    };
    match name {
        "refuse" => simple(Action::Refuse),
        "hang" => simple(Action::Hang),
        "drop-before" => simple(Action::DropBefore),
        "drop-after" => simple(Action::DropAfter),
        "truncate" => simple(Action::Truncate),
        "garbage" => simple(Action::Garbage),
        "forget" => simple(Action::Forget),
        "swallow" => simple(Action::Swallow),
        "close" => simple(Action::Close),
        "delay" => milliseconds("delay=MILLISECONDS").map(Action::Delay),
        "overlap" => milliseconds("overlap=MILLISECONDS").map(Action::Overlap),
        "trickle" => milliseconds("trickle=MILLISECONDS").map(Action::Trickle),
        "harm" => {
            let named = |harm: &Harm| value == Some(harm.name());
            let harm = Harm::ALL.into_iter().find(named).ok_or("harm=KIND")?;
            Ok(Action::Harm(harm))
        }
        "content-type" => {
            let value = value.ok_or("content-type=TYPE")?;
            Ok(Action::ContentType(value.to_owned()))
        }
        "status" => {
            let value = value.ok_or("status=CODE[:BODY]")?;
            let (code, body) = value.split_once(':').unwrap_or((value, ""));
            let code = code.parse().ok().filter(|code| (100..600).contains(code));
            Ok(Action::Status(StatusAnswer {
                code: code.ok_or("a status has three digits")?,
                body: body.to_owned(),
                content_type: "text/html; charset=UTF-8".into(),
            }))
        }
        _ => Err("see `contrail-lab fault add --help` for the actions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_as_they_are_typed() {
        assert_eq!(action("hang").unwrap(), Action::Hang);
        assert_eq!(action("delay=250").unwrap(), Action::Delay(250));
        let Action::Status(answer) = action("status=503:try: later").unwrap() else {
            panic!("a status is expected");
        };
        assert_eq!((answer.code, answer.body.as_str()), (503, "try: later"));
        for text in [
            "refuse",
            "hang",
            "drop-before",
            "drop-after",
            "truncate",
            "garbage",
            "forget",
            "swallow",
            "close",
            "delay=5",
            "overlap=5",
            "trickle=5",
            "harm=swell",
            "content-type=text/plain",
            "status=500",
            "status=503:a: b",
        ] {
            assert_eq!(typed(&action(text).unwrap()), text);
        }
        for bad in [
            "",
            "delay",
            "delay=x",
            "trickle",
            "harm",
            "harm=less",
            "status=99",
            "hang=1",
            "explode",
        ] {
            assert!(action(bad).is_err(), "{bad:?}");
        }
    }
}

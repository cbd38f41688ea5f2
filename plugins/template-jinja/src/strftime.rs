//! Python's `strftime` in the C locale, for templates that tell the model the date. Times are in UTC.

use std::fmt::Write;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `now_s`: seconds since 1970. A directive that is not known stays as it is.
pub(crate) fn format(format: &str, now_s: u64) -> String {
    let moment = Moment::of(now_s);
    let mut text = String::with_capacity(format.len() + 16);
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        match characters.next() {
            // `%-d`, a directive without padding.
            Some('-') => match characters.next() {
                Some(directive) => match moment.directive(directive) {
                    Some(value) => {
                        let trimmed = value.trim_start_matches('0');
                        text.push_str(if trimmed.is_empty() { "0" } else { trimmed });
                    }
                    None => text.extend(['%', '-', directive]),
                },
                None => text.push_str("%-"),
            },
            Some(directive) => match moment.directive(directive) {
                Some(value) => text.push_str(&value),
                None => text.extend(['%', directive]),
            },
            None => text.push('%'),
        }
    }
    text
}

struct Moment {
    year: i64,
    /// 1 to 12.
    month: i64,
    /// 1 to 31.
    day: i64,
    /// 1 to 366.
    day_of_year: i64,
    /// 0 is Sunday.
    weekday: usize,
    second_of_day: u64,
}

impl Moment {
    fn of(now_s: u64) -> Self {
        let days = i64::try_from(now_s / 86_400).unwrap_or(0);
        let (year, month, day) = civil(days);
        let first = days_of(year);
        // 1970 began on a Thursday.
        let weekday = (days + 4).rem_euclid(7) as usize;
        Moment { year, month, day, day_of_year: days - first + 1, weekday, second_of_day: now_s % 86_400 }
    }

    fn directive(&self, directive: char) -> Option<String> {
        let (hour, minute, second) = (self.second_of_day / 3600, self.second_of_day / 60 % 60, self.second_of_day % 60);
        let month = MONTHS[(self.month - 1) as usize];
        let weekday = DAYS[self.weekday];
        let mut text = String::new();
        let written = match directive {
            'Y' => write!(text, "{:04}", self.year),
            'y' => write!(text, "{:02}", self.year % 100),
            'm' => write!(text, "{:02}", self.month),
            'd' => write!(text, "{:02}", self.day),
            'e' => write!(text, "{:2}", self.day),
            'j' => write!(text, "{:03}", self.day_of_year),
            'B' => write!(text, "{month}"),
            'b' | 'h' => write!(text, "{}", &month[..3]),
            'A' => write!(text, "{weekday}"),
            'a' => write!(text, "{}", &weekday[..3]),
            'w' => write!(text, "{}", self.weekday),
            'u' => write!(text, "{}", if self.weekday == 0 { 7 } else { self.weekday }),
            'H' => write!(text, "{hour:02}"),
            'I' => write!(text, "{:02}", if hour % 12 == 0 { 12 } else { hour % 12 }),
            'M' => write!(text, "{minute:02}"),
            'S' => write!(text, "{second:02}"),
            'p' => write!(text, "{}", if hour < 12 { "AM" } else { "PM" }),
            'F' => write!(text, "{:04}-{:02}-{:02}", self.year, self.month, self.day),
            'D' | 'x' => write!(text, "{:02}/{:02}/{:02}", self.month, self.day, self.year % 100),
            'T' | 'X' => write!(text, "{hour:02}:{minute:02}:{second:02}"),
            'R' => write!(text, "{hour:02}:{minute:02}"),
            'c' => write!(
                text,
                "{} {} {:2} {hour:02}:{minute:02}:{second:02} {}",
                &weekday[..3],
                &month[..3],
                self.day,
                self.year
            ),
            'z' | 'Z' => Ok(()),
            'n' => writeln!(text),
            't' => write!(text, "\t"),
            '%' => write!(text, "%"),
            _ => return None,
        };
        written.ok().map(|()| text)
    }
}

/// Year, month and day of a day since 1970.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days from 1970 to the first of January of a year.
fn days_of(year: i64) -> i64 {
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    (year - 1970) * 365 + leap_days - 477
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn formats_as_python_does() {
        // The expected texts are those of Python's datetime.fromtimestamp(n, UTC).strftime.
        let cases = [
            ("%d %b %Y", 1_700_000_000, "14 Nov 2023"),
            ("%B %d, %Y, %A %H:%M:%S", 1_700_000_000, "November 14, 2023, Tuesday 22:13:20"),
            ("%Y-%m-%d %j %I%p %y", 1_709_164_800, "2024-02-29 060 12AM 24"),
            ("%-d/%-m %%", 1_704_067_200, "1/1 %"),
            ("%F %T %a", 0, "1970-01-01 00:00:00 Thu"),
            ("%Q %", 0, "%Q %"),
            ("%F %j", 4_102_444_799, "2099-12-31 365"),
        ];
        for (text, now_s, expect) in cases {
            assert_eq!(format(text, now_s), expect, "{text}");
        }
    }
}

//! The questions, in GraphQL. What is nested is asked for with the subject, and further pages of it by themselves.

/// An account that did something.
const ACCOUNT: &str = "\
fragment account on Actor{__typename login ...on User{databaseId} ...on Bot{databaseId} \
...on Organization{databaseId} ...on Mannequin{databaseId}}";
const PAGE: &str = "pageInfo{hasNextPage endCursor}";

/// Something that a subject has many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nested {
    /// The type of the subject.
    owner: &'static str,
    /// The field, without how many and from where.
    field: &'static str,
    /// More arguments of the field, each with a comma before it.
    arguments: &'static str,
    /// What is asked of each.
    nodes: &'static str,
    /// Whether accounts are asked for.
    has_accounts: bool,
}

pub(super) const PULL_LABELS: Nested =
    Nested { owner: "PullRequest", field: "labels", arguments: "", nodes: "name", has_accounts: false };
pub(super) const PULL_COMMITS: Nested = Nested {
    owner: "PullRequest",
    field: "commits",
    arguments: "",
    nodes: "commit{id authors(first:10){pageInfo{hasNextPage endCursor}nodes{user{__typename login databaseId}}}}",
    has_accounts: false,
};
pub(super) const COMMIT_AUTHORS: Nested = Nested {
    owner: "Commit",
    field: "authors",
    arguments: "",
    nodes: "user{__typename login databaseId}",
    has_accounts: false,
};
pub(super) const PULL_REVIEWS: Nested = Nested {
    owner: "PullRequest",
    field: "reviews",
    arguments: "",
    nodes: "fullDatabaseId submittedAt state url author{...account}",
    has_accounts: true,
};
pub(super) const PULL_DISMISSALS: Nested = Nested {
    owner: "PullRequest",
    field: "timelineItems",
    arguments: ",itemTypes:[REVIEW_DISMISSED_EVENT]",
    nodes: "...on ReviewDismissedEvent{previousReviewState review{fullDatabaseId}}",
    has_accounts: false,
};
const COMMENT: &str = "fullDatabaseId createdAt url author{...account}";
pub(super) const PULL_COMMENTS: Nested =
    Nested { owner: "PullRequest", field: "comments", arguments: "", nodes: COMMENT, has_accounts: true };
pub(super) const ISSUE_COMMENTS: Nested =
    Nested { owner: "Issue", field: "comments", arguments: "", nodes: COMMENT, has_accounts: true };
pub(super) const ISSUE_CLOSINGS: Nested = Nested {
    owner: "Issue",
    field: "timelineItems",
    arguments: ",itemTypes:[CLOSED_EVENT]",
    nodes: "...on ClosedEvent{createdAt stateReason actor{...account}}",
    has_accounts: true,
};
pub(super) const ISSUE_ASSIGNEES: Nested = Nested {
    owner: "Issue",
    field: "assignees",
    arguments: "",
    nodes: "__typename login databaseId",
    has_accounts: false,
};

impl Nested {
    /// The field under a name, with its first so many, where a variable says so.
    fn first(self, name: &str, count: u32, variable: &str) -> String {
        let Self { field, arguments, nodes, .. } = self;
        format!(" {name}:{field}(first:{count}{arguments})@include(if:${variable}){{{PAGE}nodes{{{nodes}}}}}")
    }

    /// The question for a further page, of the subject `$id` after `$after`.
    pub(super) fn further(self) -> String {
        let Self { owner, field, arguments, nodes, has_accounts } = self;
        let fragment = if has_accounts { ACCOUNT } else { "" };
        format!(
            "query($id:ID!,$after:String){{node(id:$id){{...on {owner}{{more:{field}(first:100,after:$after\
             {arguments}){{{PAGE}nodes{{{nodes}}}}}}}}}}}{fragment}"
        )
    }
}

/// A page of pull requests, those that changed longest ago first.
pub(super) fn pulls() -> String {
    let nested = [
        PULL_LABELS.first("labels", 20, "merged"),
        PULL_COMMITS.first("commits", 30, "coauthors"),
        PULL_REVIEWS.first("reviews", 30, "reviews"),
        PULL_DISMISSALS.first("dismissals", 10, "reviews"),
        PULL_COMMENTS.first("comments", 30, "comments"),
    ];
    format!(
        "query($owner:String!,$name:String!,$first:Int!,$after:String,$merged:Boolean!,$coauthors:Boolean!,\
         $reviews:Boolean!,$comments:Boolean!){{repository(owner:$owner,name:$name){{databaseId nameWithOwner \
         page:pullRequests(first:$first,after:$after,orderBy:{{field:UPDATED_AT,direction:ASC}}){{{PAGE}\
         nodes{{id number title url updatedAt mergedAt baseRefName headRefName author{{...account}}{}}}}}}}}}{ACCOUNT}",
        nested.concat()
    )
}

/// A page of issues, those that changed longest ago first.
pub(super) fn issues() -> String {
    let nested = [
        ISSUE_CLOSINGS.first("closings", 10, "closed"),
        ISSUE_ASSIGNEES.first("assignees", 10, "assignees"),
        ISSUE_COMMENTS.first("comments", 30, "comments"),
    ];
    format!(
        "query($owner:String!,$name:String!,$first:Int!,$after:String,$closed:Boolean!,$assignees:Boolean!,\
         $comments:Boolean!){{repository(owner:$owner,name:$name){{databaseId nameWithOwner \
         page:issues(first:$first,after:$after,orderBy:{{field:UPDATED_AT,direction:ASC}}){{{PAGE}\
         nodes{{id number title url updatedAt closedAt author{{...account}}{}}}}}}}}}{ACCOUNT}",
        nested.concat()
    )
}

/// How many pull requests were merged in a time, and issues closed, as the search counts them.
pub(super) const TOTALS: &str = "query($merged:String!,$closed:String!){\
    merged:search(query:$merged,type:ISSUE,first:1){issueCount}\
    closed:search(query:$closed,type:ISSUE,first:1){issueCount}}";

/// Whether the repository can be read, and how much of the limit is left.
pub(super) const LOOK: &str = "query($owner:String!,$name:String!){\
    repository(owner:$owner,name:$name){databaseId nameWithOwner}\
    rateLimit{remaining resetAt}}";

#[cfg(test)]
mod tests {
    use super::*;

    /// Every variable that is declared is used, every fragment too, and braces are closed: GitHub refuses the others.
    #[test]
    fn questions_are_well_formed() {
        let nested = [
            PULL_LABELS,
            PULL_COMMITS,
            COMMIT_AUTHORS,
            PULL_REVIEWS,
            PULL_DISMISSALS,
            PULL_COMMENTS,
            ISSUE_COMMENTS,
            ISSUE_CLOSINGS,
            ISSUE_ASSIGNEES,
        ];
        let mut queries: Vec<String> = nested.map(Nested::further).into();
        queries.extend([pulls(), issues(), TOTALS.to_owned(), LOOK.to_owned()]);
        for query in queries {
            for pair in ["{}", "()", "[]"] {
                let count = |sign: &str| query.matches(sign).count();
                assert_eq!(count(&pair[..1]), count(&pair[1..]), "{pair} {query}");
            }
            let declared = query.split(')').next().expect("the head");
            for variable in declared.split('$').skip(1) {
                let name = variable.split(':').next().expect("a name");
                assert!(query.matches(&format!("${name}")).count() > 1, "{name} {query}");
            }
            assert_eq!(query.contains("fragment account"), query.contains("{...account}"), "{query}");
        }
    }
}
